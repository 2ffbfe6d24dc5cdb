using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Ernie.Cpu.Memory;

namespace Ernie.Cpu.Attention;

/// <summary>The two products of attention for eight query rows and one page.</summary>
/// <typeparam name="TElement">Storage of keys and values.</typeparam>
/// <typeparam name="TLoader">How they are read.</typeparam>
internal static unsafe class AttentionKernels<TElement, TLoader>
    where TElement : unmanaged
    where TLoader : IStoredElement<TElement>
{
    /// <summary>Query rows worked on together.</summary>
    internal const int Rows = 8;

    private const int CacheLineBytes = 64;
    private const int TokensPerPage = KeyValuePages<TElement>.TokensPerPage;

    /// <summary>scores[row, token] = query[row] · key[token].</summary>
    /// <param name="query">[headDim, row 8].</param>
    /// <param name="keys">[headDim, 64].</param>
    /// <param name="headDim">Width of a head.</param>
    /// <param name="tokens">Tokens of the page that count, from its first.</param>
    /// <param name="scores">[row 8, 64]; overwritten, except behind the last 32 tokens that hold one that counts.</param>
    /// <param name="ahead">What is read next: fetched meanwhile, [64 × headDim].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Scores(float* query, TElement* keys, int headDim, int tokens, float* scores, TElement* ahead)
    {
        for (int first = 0; first < tokens; first += 32)
        {
            byte* fetched = (byte*)ahead + (first * headDim * sizeof(TElement));
            Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default, a4 = default, a5 = default, a6 = default, a7 = default;
            Vector512<float> b0 = default, b1 = default, b2 = default, b3 = default, b4 = default, b5 = default, b6 = default, b7 = default;
            TElement* key = keys + first;
            float* q = query;
            for (int i = 0; i < headDim; i++, key += TokensPerPage, q += Rows)
            {
                fetched = Fetch(fetched);
                Vector512<float> low = TLoader.Load(key);
                Vector512<float> high = TLoader.Load(key + 16);
                Vector512<float> x = Vector512.Create(q[0]);
                a0 = Vector512.FusedMultiplyAdd(low, x, a0);
                b0 = Vector512.FusedMultiplyAdd(high, x, b0);
                x = Vector512.Create(q[1]);
                a1 = Vector512.FusedMultiplyAdd(low, x, a1);
                b1 = Vector512.FusedMultiplyAdd(high, x, b1);
                x = Vector512.Create(q[2]);
                a2 = Vector512.FusedMultiplyAdd(low, x, a2);
                b2 = Vector512.FusedMultiplyAdd(high, x, b2);
                x = Vector512.Create(q[3]);
                a3 = Vector512.FusedMultiplyAdd(low, x, a3);
                b3 = Vector512.FusedMultiplyAdd(high, x, b3);
                x = Vector512.Create(q[4]);
                a4 = Vector512.FusedMultiplyAdd(low, x, a4);
                b4 = Vector512.FusedMultiplyAdd(high, x, b4);
                x = Vector512.Create(q[5]);
                a5 = Vector512.FusedMultiplyAdd(low, x, a5);
                b5 = Vector512.FusedMultiplyAdd(high, x, b5);
                x = Vector512.Create(q[6]);
                a6 = Vector512.FusedMultiplyAdd(low, x, a6);
                b6 = Vector512.FusedMultiplyAdd(high, x, b6);
                x = Vector512.Create(q[7]);
                a7 = Vector512.FusedMultiplyAdd(low, x, a7);
                b7 = Vector512.FusedMultiplyAdd(high, x, b7);
            }

            float* target = scores + first;
            Store(target, a0, b0);
            Store(target + TokensPerPage, a1, b1);
            Store(target + (2 * TokensPerPage), a2, b2);
            Store(target + (3 * TokensPerPage), a3, b3);
            Store(target + (4 * TokensPerPage), a4, b4);
            Store(target + (5 * TokensPerPage), a5, b5);
            Store(target + (6 * TokensPerPage), a6, b6);
            Store(target + (7 * TokensPerPage), a7, b7);
        }
    }

    /// <summary>sums[row] = sums[row] · rescale[row] + Σ over tokens of weights[row, token] · value[token].</summary>
    /// <param name="weights">[row 8, 64].</param>
    /// <param name="rescale">[row 8].</param>
    /// <param name="values">[64, headDim].</param>
    /// <param name="tokens">Tokens of the page that count, from its first.</param>
    /// <param name="headDim">Width of a head, a multiple of 32.</param>
    /// <param name="sums">[row 8, headDim]; updated.</param>
    /// <param name="ahead">What is read next: fetched meanwhile, [64 × headDim].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void AddValues(float* weights, float* rescale, TElement* values, int tokens, int headDim, float* sums, TElement* ahead)
    {
        byte* fetched = (byte*)ahead;
        for (int first = 0; first < headDim; first += 32)
        {
            float* target = sums + first;
            Vector512<float> a0 = Scaled(target, rescale[0]), b0 = Scaled(target + 16, rescale[0]);
            Vector512<float> a1 = Scaled(target + headDim, rescale[1]), b1 = Scaled(target + headDim + 16, rescale[1]);
            Vector512<float> a2 = Scaled(target + (2 * headDim), rescale[2]), b2 = Scaled(target + (2 * headDim) + 16, rescale[2]);
            Vector512<float> a3 = Scaled(target + (3 * headDim), rescale[3]), b3 = Scaled(target + (3 * headDim) + 16, rescale[3]);
            Vector512<float> a4 = Scaled(target + (4 * headDim), rescale[4]), b4 = Scaled(target + (4 * headDim) + 16, rescale[4]);
            Vector512<float> a5 = Scaled(target + (5 * headDim), rescale[5]), b5 = Scaled(target + (5 * headDim) + 16, rescale[5]);
            Vector512<float> a6 = Scaled(target + (6 * headDim), rescale[6]), b6 = Scaled(target + (6 * headDim) + 16, rescale[6]);
            Vector512<float> a7 = Scaled(target + (7 * headDim), rescale[7]), b7 = Scaled(target + (7 * headDim) + 16, rescale[7]);
            TElement* value = values + first;
            float* p = weights;
            for (int token = 0; token < tokens; token++, value += headDim, p++)
            {
                fetched = Fetch(fetched);
                Vector512<float> low = TLoader.Load(value);
                Vector512<float> high = TLoader.Load(value + 16);
                Vector512<float> x = Vector512.Create(p[0]);
                a0 = Vector512.FusedMultiplyAdd(low, x, a0);
                b0 = Vector512.FusedMultiplyAdd(high, x, b0);
                x = Vector512.Create(p[TokensPerPage]);
                a1 = Vector512.FusedMultiplyAdd(low, x, a1);
                b1 = Vector512.FusedMultiplyAdd(high, x, b1);
                x = Vector512.Create(p[2 * TokensPerPage]);
                a2 = Vector512.FusedMultiplyAdd(low, x, a2);
                b2 = Vector512.FusedMultiplyAdd(high, x, b2);
                x = Vector512.Create(p[3 * TokensPerPage]);
                a3 = Vector512.FusedMultiplyAdd(low, x, a3);
                b3 = Vector512.FusedMultiplyAdd(high, x, b3);
                x = Vector512.Create(p[4 * TokensPerPage]);
                a4 = Vector512.FusedMultiplyAdd(low, x, a4);
                b4 = Vector512.FusedMultiplyAdd(high, x, b4);
                x = Vector512.Create(p[5 * TokensPerPage]);
                a5 = Vector512.FusedMultiplyAdd(low, x, a5);
                b5 = Vector512.FusedMultiplyAdd(high, x, b5);
                x = Vector512.Create(p[6 * TokensPerPage]);
                a6 = Vector512.FusedMultiplyAdd(low, x, a6);
                b6 = Vector512.FusedMultiplyAdd(high, x, b6);
                x = Vector512.Create(p[7 * TokensPerPage]);
                a7 = Vector512.FusedMultiplyAdd(low, x, a7);
                b7 = Vector512.FusedMultiplyAdd(high, x, b7);
            }

            Store(target, a0, b0);
            Store(target + headDim, a1, b1);
            Store(target + (2 * headDim), a2, b2);
            Store(target + (3 * headDim), a3, b3);
            Store(target + (4 * headDim), a4, b4);
            Store(target + (5 * headDim), a5, b5);
            Store(target + (6 * headDim), a6, b6);
            Store(target + (7 * headDim), a7, b7);
        }
    }

    // One cache line for each turn of a loop of 16 multiplications: pages are then there when their turn comes, and the loops wait for arithmetic alone.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Fetch(byte* line)
    {
        if (Sse.IsSupported)
            Sse.Prefetch1(line);
        return line + CacheLineBytes * sizeof(TElement) / sizeof(ushort);
    }

    private static Vector512<float> Scaled(float* source, float scale) => Vector512.Load(source) * scale;

    private static void Store(float* target, Vector512<float> low, Vector512<float> high)
    {
        low.Store(target);
        high.Store(target + 16);
    }
}
