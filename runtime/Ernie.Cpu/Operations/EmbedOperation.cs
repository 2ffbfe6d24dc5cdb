using System.Runtime.Intrinsics;
using Ernie.Cpu.Memory;
using Ernie.Weights;

namespace Ernie.Cpu.Operations;

/// <summary>Rows of the embedding table.</summary>
internal sealed unsafe class EmbedOperation(Bf16Matrix table, ValueBuffer output, LinearConsumers consumers) : Operation
{
    protected override int UnitCount(SliceState slice) => slice.Count;

    protected override void Execute(int worker, int unit, SliceState slice)
    {
        float* target = output.Row(unit);
        fixed (ushort* source = table.Row(slice.Tokens[unit]))
        {
            int i = 0;
            for (; i <= output.Width - 16; i += 16)
                BFloat16Element.Load(source + i).Store(target + i);
            for (; i < output.Width; i++)
                target[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
        }

        consumers.Prepare(slice, unit, target);
    }
}
