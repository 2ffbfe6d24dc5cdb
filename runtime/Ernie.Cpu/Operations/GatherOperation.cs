namespace Ernie.Cpu.Operations;

/// <summary>Brings the hidden states whose logits are wanted, collected slice by slice, to the head.</summary>
internal sealed unsafe class GatherOperation(RowStorage collected, ValueBuffer output, LinearConsumers consumers) : Operation
{
    protected override int UnitCount(SliceState slice) => slice.Count;

    protected override void Execute(int worker, int unit, SliceState slice)
    {
        float* target = output.Row(unit);
        new ReadOnlySpan<float>(collected.Pointer + ((long)unit * collected.Stride), output.Width).CopyTo(new Span<float>(target, output.Width));
        consumers.Prepare(slice, unit, target);
    }
}
