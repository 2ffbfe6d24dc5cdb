using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Ernie.Cpu.Memory;

namespace Ernie.Cpu.Operations;

/// <summary>Root-mean-square norm of a row, or of the sum of two, which is then kept too.</summary>
internal sealed unsafe class RmsNormOperation : Operation
{
    private readonly ValueBuffer _left;
    private readonly ValueBuffer? _right;
    private readonly ValueBuffer? _sum;
    private readonly ValueBuffer _output;
    private readonly NativeBuffer<float> _weight;
    private readonly float _epsilon;
    private readonly LinearConsumers _sumConsumers;
    private readonly LinearConsumers _consumers;

    /// <param name="left">The row.</param>
    /// <param name="right">What is added to it, if anything.</param>
    /// <param name="sum">Where the sum goes, if there is one.</param>
    /// <param name="output">Where the norm goes.</param>
    /// <param name="weight">[width]; owned by the executor.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="sumConsumers">Linear layers that read the sum.</param>
    /// <param name="consumers">Linear layers that read the norm.</param>
    internal RmsNormOperation(
        ValueBuffer left, ValueBuffer? right, ValueBuffer? sum, ValueBuffer output, NativeBuffer<float> weight, double epsilon, LinearConsumers sumConsumers, LinearConsumers consumers)
    {
        _left = left;
        _right = right;
        _sum = sum;
        _output = output;
        _weight = weight;
        _epsilon = (float)epsilon;
        _sumConsumers = sumConsumers;
        _consumers = consumers;
    }

    protected override int UnitCount(SliceState slice) => slice.Count;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Execute(int worker, int unit, SliceState slice)
    {
        int width = _output.Width;
        float* row = _left.Row(unit);
        if (_right is not null)
        {
            float* sum = _sum!.Row(unit);
            AddOperation.Add(row, _right.Row(unit), sum, width);
            _sumConsumers.Prepare(slice, unit, sum);
            row = sum;
        }

        float* target = _output.Row(unit);
        Normalize(row, _weight.Pointer, target, width, _epsilon);
        _consumers.Prepare(slice, unit, target);
    }

    /// <summary>Normalises one vector.</summary>
    /// <param name="row">[width].</param>
    /// <param name="weight">[width].</param>
    /// <param name="target">[width]; may be <paramref name="row"/>.</param>
    /// <param name="width">Elements.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Normalize(float* row, float* weight, float* target, int width, float epsilon)
    {
        float scale = 1f / MathF.Sqrt((SumOfSquares(row, width) / width) + epsilon);
        int i = 0;
        for (; i <= width - 16; i += 16)
            (Vector512.Load(weight + i) * (Vector512.Load(row + i) * scale)).Store(target + i);
        for (; i < width; i++)
            target[i] = weight[i] * (row[i] * scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SumOfSquares(float* row, int width)
    {
        Vector512<float> first = default, second = default;
        int i = 0;
        for (; i <= width - 32; i += 32)
        {
            Vector512<float> a = Vector512.Load(row + i), b = Vector512.Load(row + i + 16);
            first = Vector512.FusedMultiplyAdd(a, a, first);
            second = Vector512.FusedMultiplyAdd(b, b, second);
        }

        float sum = Vector512.Sum(first + second);
        for (; i < width; i++)
            sum += row[i] * row[i];
        return sum;
    }
}
