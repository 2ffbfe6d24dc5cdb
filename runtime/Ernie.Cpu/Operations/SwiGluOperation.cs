using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ernie.Cpu.Operations;

/// <summary>silu(gate) · up.</summary>
internal sealed unsafe class SwiGluOperation(ValueBuffer gate, ValueBuffer up, ValueBuffer output, LinearConsumers consumers) : Operation
{
    // A multiple of every block length, small enough that one token's row keeps several workers busy.
    private const int ColumnsPerUnit = 512;

    private readonly int _unitsPerToken = (output.Width + ColumnsPerUnit - 1) / ColumnsPerUnit;

    protected override int UnitCount(SliceState slice) => slice.Count * _unitsPerToken;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Execute(int worker, int unit, SliceState slice)
    {
        int token = unit / _unitsPerToken;
        int first = unit % _unitsPerToken * ColumnsPerUnit;
        int end = Math.Min(first + ColumnsPerUnit, output.Width);
        float* gates = gate.Row(token);
        float* ups = up.Row(token);
        float* target = output.Row(token);
        int i = first;
        for (; i <= end - 16; i += 16)
        {
            Vector512<float> x = Vector512.Load(gates + i);
            Vector512<float> silu = x / (Vector512<float>.One + VectorMath.Exp(-x));
            (silu * Vector512.Load(ups + i)).Store(target + i);
        }

        for (; i < end; i++)
            target[i] = gates[i] / (1f + MathF.Exp(-gates[i])) * ups[i];
        consumers.Prepare(slice, token, target, first, end);
    }
}
