using Ernie.Cuda.Execution;
using Ernie.Testing;

namespace Ernie.Gpu.Tests;

/// <summary>RMSNorm against double precision, row by row.</summary>
public sealed class NormalizeKernelTests
{
    public static TheoryData<string, int, bool> Cases => new(
        from model in (string[])["tales", "0.3b"]
        from rows in (int[])[1, 2, 9, 64]
        from isListed in (bool[])[false, true]
        select (model, rows, isListed));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Normalize_Rows_AreTheDoublesRounded(string model, int rowCount, bool isListed)
    {
        using KernelBench bench = new(model, plan => plan.Normalize);
        int width = bench.Shape.HiddenSize, inputRows = rowCount + 3;
        Random random = new(HashCode.Combine(rowCount, width));
        // Rows from tiny to huge, one of zeros: the norm takes their size away.
        float[] input =
        [
            .. Enumerable.Range(0, inputRows).SelectMany(row => Enumerable.Range(0, width)
                .Select(_ => row == 1 ? 0 : (random.NextSingle() - 0.5f) * MathF.Pow(10, (row % 7) - 2))),
        ];
        float[] gain = [.. Enumerable.Range(0, width).Select(_ => KernelBench.FromBits(KernelBench.ToBits(random.NextSingle() + 0.5f)))];
        int[] rows = [.. Enumerable.Range(0, rowCount).Select(row => isListed ? inputRows - 1 - row : row)];
        ushort[] poison = [.. Enumerable.Repeat((ushort)0xC29A, (rowCount + 1) * width)];
        NormArguments arguments = new()
        {
            Input = bench.Upload(input),
            Gain = bench.Upload<ushort>([.. gain.Select(KernelBench.ToBits)]),
            Rows = isListed ? bench.Upload(rows) : 0,
            RowCount = bench.Upload<int>([rowCount]),
            Output = bench.Upload(poison),
            OutputFloat = bench.Upload<float>([.. Enumerable.Repeat(-77f, (rowCount + 1) * width)]),
        };

        bench.Kernel.Launch(bench.Stream.Handle, rowCount + 2, 1, 1, arguments, overlapsPrevious: false);

        float[] rounded = [.. bench.Download<ushort>(arguments.Output, poison.Length).Select(KernelBench.FromBits)];
        float[] exact = bench.Download<float>(arguments.OutputFloat, poison.Length);
        for (int row = 0; row < rowCount; row++)
        {
            double[] expected = Expected(input.AsSpan(rows[row] * width, width), gain, bench.Shape.RmsNormEpsilon);
            Range range = (row * width)..((row + 1) * width);
            Numeric.AssertClose(expected, [.. exact[range].Select(value => (double)value)], Tolerance.Float32Dot(width));
            Numeric.AssertClose(expected, [.. rounded[range].Select(value => (double)value)], Tolerance.Bf16Dot(width));
        }

        Assert.All(exact[(rowCount * width)..], value => Assert.Equal(-77f, value));
        Assert.All(rounded[(rowCount * width)..], value => Assert.Equal(-77f, value));
    }

    private static double[] Expected(ReadOnlySpan<float> row, float[] gain, double epsilon)
    {
        double squares = 0;
        foreach (float value in row)
            squares += (double)value * value;
        double factor = 1 / Math.Sqrt((squares / row.Length) + epsilon);
        double[] expected = new double[row.Length];
        for (int i = 0; i < expected.Length; i++)
            expected[i] = row[i] * factor * gain[i];
        return expected;
    }
}
