using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ernie.Cpu.Operations;

/// <summary>A sum of two values.</summary>
internal sealed unsafe class AddOperation(ValueBuffer left, ValueBuffer right, ValueBuffer output, LinearConsumers consumers) : Operation
{
    /// <summary>sum = left + right.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Add(float* left, float* right, float* sum, int width)
    {
        int i = 0;
        for (; i <= width - 16; i += 16)
            (Vector512.Load(left + i) + Vector512.Load(right + i)).Store(sum + i);
        for (; i < width; i++)
            sum[i] = left[i] + right[i];
    }

    protected override int UnitCount(SliceState slice) => slice.Count;

    protected override void Execute(int worker, int unit, SliceState slice)
    {
        Add(left.Row(unit), right.Row(unit), output.Row(unit), output.Width);
        consumers.Prepare(slice, unit, output.Row(unit));
    }
}
