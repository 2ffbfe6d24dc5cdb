using System.Runtime.CompilerServices;
using Ernie.Cpu.Memory;
using Ernie.Cpu.Operations;

namespace Ernie.Cpu.Attention;

/// <summary>Writes the new tokens' keys and values to their pages.</summary>
internal sealed unsafe class StoreOperation<TElement, TConverter>(ValueBuffer keys, ValueBuffer values, int heads, KeyValuePages<TElement> pages) : Operation
    where TElement : unmanaged
    where TConverter : IStoredElement<TElement>
{
    protected override int UnitCount(SliceState slice) => slice.Count * heads;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Execute(int worker, int unit, SliceState slice)
    {
        int token = unit / heads;
        int head = unit % heads;
        int position = slice.Position[token];
        int page = slice.PageTable[slice.SegmentPageRow[slice.Segment[token]] + (position / KeyValuePages<TElement>.TokensPerPage)].Index;
        int slot = position % KeyValuePages<TElement>.TokensPerPage;
        int headDim = pages.HeadDim;
        float* key = keys.Row(token) + (head * headDim);
        float* value = values.Row(token) + (head * headDim);
        TElement* keyTarget = pages.Keys(page, head) + slot;
        TElement* valueTarget = pages.Values(page, head) + (slot * headDim);
        for (int i = 0; i < headDim; i++)
        {
            keyTarget[i * KeyValuePages<TElement>.TokensPerPage] = TConverter.Convert(key[i]);
            valueTarget[i] = TConverter.Convert(value[i]);
        }
    }
}
