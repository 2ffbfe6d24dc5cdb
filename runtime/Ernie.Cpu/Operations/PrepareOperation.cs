namespace Ernie.Cpu.Operations;

/// <summary>Prepares rows for linear layers where the operation that writes them cannot: it writes strips of columns.</summary>
internal sealed unsafe class PrepareOperation(ValueBuffer value, LinearConsumers consumers) : Operation
{
    protected override int UnitCount(SliceState slice) => slice.Count;

    protected override void Execute(int worker, int unit, SliceState slice) => consumers.Prepare(slice, unit, value.Row(unit));
}
