using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ernie.Cpu.Memory;
using Ernie.Cpu.Operations;

namespace Ernie.Cpu.Attention;

/// <summary>Writes the new tokens' keys and values to their pages.</summary>
internal sealed unsafe class StoreOperation<TElement, TFormat>(ValueBuffer keys, ValueBuffer values, int heads, KeyValuePages<TElement> pages) : Operation
    where TElement : unmanaged
    where TFormat : ICacheElement<TElement>
{
    private const int Width = 16;
    private const int TokensPerPage = KeyValuePages<TElement>.TokensPerPage;

    protected override int UnitCount(SliceState slice) => slice.Count * heads;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Execute(int worker, int unit, SliceState slice)
    {
        int token = unit / heads;
        int head = unit % heads;
        int position = slice.Position[token];
        int page = slice.PageTable[slice.SegmentPageRow[slice.Segment[token]] + (position / TokensPerPage)].Index;
        int slot = position % TokensPerPage;
        int headDim = pages.HeadDim;
        float* key = keys.Row(token) + (head * headDim);
        float* value = values.Row(token) + (head * headDim);
        float keyInverse = 1, valueInverse = 1;
        if (TFormat.LargestCode > 0)
        {
            keyInverse = StoreFactor(key, headDim, pages.KeyFactors(page, head) + slot);
            valueInverse = StoreFactor(value, headDim, pages.ValueFactors(page, head) + slot);
        }

        TElement* column = stackalloc TElement[Width];
        TElement* keyTarget = pages.Keys(page, head) + slot;
        TElement* valueTarget = pages.Values(page, head) + (slot * headDim);
        for (int i = 0; i < headDim; i += Width)
        {
            TFormat.Store(Multiples(key + i, keyInverse), column);
            for (int j = 0; j < Width; j++)
                keyTarget[(i + j) * TokensPerPage] = column[j];
            TFormat.Store(Multiples(value + i, valueInverse), valueTarget + i);
        }
    }

    // Bit by bit what ernie::quantize_head (kernels-templates/ernie/attention/cache.cuh) does: the projections there leave bf16.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float StoreFactor(float* values, int count, float* factor)
    {
        Vector512<float> most = default;
        for (int i = 0; i < count; i += Width)
            most = Vector512.Max(most, Vector512.Abs(VectorMath.RoundToBFloat16(Vector512.Load(values + i))));
        float largest = 0;
        for (int i = 0; i < Width; i++)
            largest = Math.Max(largest, most[i]);
        *factor = largest / TFormat.LargestCode;
        return largest > 0 ? TFormat.LargestCode / largest : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Multiples(float* values, float inverse) =>
        TFormat.LargestCode > 0 ? VectorMath.RoundToBFloat16(Vector512.Load(values)) * inverse : Vector512.Load(values);
}
