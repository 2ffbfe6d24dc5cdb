using System.Numerics;
using System.Runtime.InteropServices;

namespace Ernie.CachePolicies.RadixLru;

/// <summary>A 64-bit hash chained over the pages of a sequence. Equality is decided by comparing tokens; the hash only finds them.</summary>
internal static class PageHash
{
    // Odd 64-bit constants with well mixed bits: the golden ratio and the finaliser of SplitMix64.
    private const ulong A = 0x9E3779B97F4A7C15, B = 0xBF58476D1CE4E5B9, C = 0x94D049BB133111EB;

    /// <summary>Hash of no page.</summary>
    /// <param name="salt">Separates caches.</param>
    public static ulong Root(ulong salt) => Finish(salt + A);

    /// <summary>Hash of a sequence with one more page.</summary>
    /// <param name="parent">Hash of the pages before.</param>
    /// <param name="tokens">The page's tokens.</param>
    public static ulong Append(ulong parent, ReadOnlySpan<int> tokens)
    {
        // Two chains, so that one multiplication does not wait for the other.
        ulong first = parent ^ A, second = parent + B;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<int, ulong>(tokens);
        int i = 0;
        for (; i + 1 < words.Length; i += 2)
        {
            first = BitOperations.RotateLeft((first ^ words[i]) * B, 29);
            second = BitOperations.RotateLeft((second ^ words[i + 1]) * C, 31);
        }

        if (i < words.Length)
        {
            first = BitOperations.RotateLeft((first ^ words[i]) * B, 29);
        }

        if ((tokens.Length & 1) != 0)
        {
            second = BitOperations.RotateLeft((second ^ (uint)tokens[^1]) * C, 31);
        }

        return Finish(first + (second * A));
    }

    private static ulong Finish(ulong z)
    {
        z = (z ^ (z >> 30)) * B;
        z = (z ^ (z >> 27)) * C;
        return z ^ (z >> 31);
    }
}
