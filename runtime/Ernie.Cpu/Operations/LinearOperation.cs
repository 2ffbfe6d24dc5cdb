using Ernie.Cpu.Linear;

namespace Ernie.Cpu.Operations;

/// <summary>A product with weights. Rows that other linear layers want prepared are prepared by an operation of their own, since a unit here is a column strip.</summary>
internal sealed unsafe class LinearOperation(LinearLayer layer, ValueBuffer input, ValueBuffer output) : Operation
{
    protected override int UnitCount(SliceState slice) => layer.UnitCount(slice.Count);

    protected override void Execute(int worker, int unit, SliceState slice) => Execute(worker, unit, unit + 1, slice);

    protected override void Execute(int worker, int first, int end, SliceState slice) => layer.Execute(worker, first, end, new LinearRun
    {
        Tokens = slice.Count,
        Input = input.Row(0),
        InputStride = input.Stride,
        Output = output.Row(0),
        OutputStride = output.Stride,
    });
}
