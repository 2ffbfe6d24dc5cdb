using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Ernie.Weights;

/// <summary>bfloat16 ↔ f32, whole spans at a time.</summary>
public static class BFloat16Codec
{
    /// <summary>The f32 value of a bfloat16; exact.</summary>
    /// <param name="value">The 16 bits of the bfloat16.</param>
    public static float Decode(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    /// <summary>The bfloat16 nearest to a value, ties to even; NaN stays NaN.</summary>
    /// <param name="value">Any f32.</param>
    public static ushort Encode(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            return (ushort)((bits >> 16) | 0x40);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>Decodes a span; exact.</summary>
    /// <param name="source">bfloat16 bits.</param>
    /// <param name="destination">f32 values, at least as many; overwritten.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than <paramref name="source"/>.</exception>
    public static void Decode(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        if (destination.Length < source.Length)
            throw new ArgumentException($"{source.Length} elements do not fit in {destination.Length}.", nameof(destination));
        Span<uint> bits = MemoryMarshal.Cast<float, uint>(destination);
        int i = 0;
        for (; i <= source.Length - Vector512<ushort>.Count; i += Vector512<ushort>.Count)
        {
            (Vector512<uint> low, Vector512<uint> high) = Vector512.Widen(Vector512.Create(source[i..]));
            (low << 16).CopyTo(bits[i..]);
            (high << 16).CopyTo(bits[(i + Vector512<uint>.Count)..]);
        }
        for (; i < source.Length; i++)
            destination[i] = Decode(source[i]);
    }

    /// <summary>Encodes a span, each value to the nearest, ties to even.</summary>
    /// <param name="source">f32 values.</param>
    /// <param name="destination">bfloat16 bits, at least as many; overwritten.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than <paramref name="source"/>.</exception>
    public static void Encode(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        if (destination.Length < source.Length)
            throw new ArgumentException($"{source.Length} elements do not fit in {destination.Length}.", nameof(destination));
        int i = 0;
        for (; i <= source.Length - 2 * Vector512<float>.Count; i += 2 * Vector512<float>.Count)
        {
            Vector512<uint> low = Round(Vector512.Create(source[i..]));
            Vector512<uint> high = Round(Vector512.Create(source[(i + Vector512<float>.Count)..]));
            Vector512.Narrow(low, high).CopyTo(destination[i..]);
        }
        for (; i < source.Length; i++)
            destination[i] = Encode(source[i]);
    }

    private static Vector512<uint> Round(Vector512<float> value)
    {
        Vector512<uint> bits = value.AsUInt32();
        Vector512<uint> upper = bits >> 16;
        Vector512<uint> rounded = (bits + Vector512.Create(0x7FFFu) + (upper & Vector512<uint>.One)) >> 16;
        return Vector512.ConditionalSelect(Vector512.IsNaN(value).AsUInt32(), upper | Vector512.Create(0x40u), rounded);
    }
}
