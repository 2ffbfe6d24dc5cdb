using Ernie.Cpu.Memory;

namespace Ernie.Cpu.Operations;

/// <summary>Root-mean-square norm of every head of a row by itself.</summary>
/// <param name="input">The row.</param>
/// <param name="output">Where the norms go.</param>
/// <param name="heads">Heads in a row.</param>
/// <param name="weight">[headDim]; owned by the executor.</param>
/// <param name="epsilon">Added to the mean square.</param>
/// <param name="consumers">Linear layers that read the norms.</param>
internal sealed unsafe class HeadNormOperation(
    ValueBuffer input, ValueBuffer output, int heads, NativeBuffer<float> weight, double epsilon, LinearConsumers consumers) : Operation
{
    private readonly int _headDim = output.Width / heads;
    private readonly float _epsilon = (float)epsilon;

    protected override int UnitCount(SliceState slice) => slice.Count;

    protected override void Execute(int worker, int unit, SliceState slice)
    {
        float* row = input.Row(unit), target = output.Row(unit);
        for (int head = 0; head < heads; head++)
            RmsNormOperation.Normalize(row + (head * _headDim), weight.Pointer, target + (head * _headDim), _headDim, _epsilon);
        consumers.Prepare(slice, unit, target);
    }
}
