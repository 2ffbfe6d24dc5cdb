using Ernie.Cuda;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Testing;
using Ernie.Testing.Gpu;

namespace Ernie.Gpu.Tests;

/// <summary>The attention kernels against softmax in double over what the cache holds.</summary>
public sealed class AttentionKernelTests
{
    private const int Seed = 20261125;

    private static readonly int[] s_edges = [1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 1000];

    public static TheoryData<string, KeyValueFormat, bool> DecodeKernels => new(
        from model in (string[])["0.3b", "tales"]
        from format in Enum.GetValues<KeyValueFormat>()
        from usesCluster in (bool[])[false, true]
        select (model, format, usesCluster));

    /// <summary>The plan's kernel and the one of architectures without warpgroup products; the benchmarks compare the other sizes with these.</summary>
    public static TheoryData<string, KeyValueFormat, string> PrefillKernels => new(
        from model in (string[])["0.3b", "tales"]
        from format in Enum.GetValues<KeyValueFormat>()
        from kernel in (string[])["plan", "4x2"]
        select (model, format, kernel));

    [Theory]
    [MemberData(nameof(DecodeKernels))]
    public void Decode_RowsAroundEveryBorder_AreSoftmaxOverTheirKeys(string model, KeyValueFormat format, bool usesCluster)
    {
        CheckDecode(model, format, usesCluster, [.. s_edges.Select(length => (length - 1, 1))]);
        CheckDecode(model, format, usesCluster, [.. s_edges.Reverse().Select(length => (length - 1, 1))], hasUpdates: true);
        foreach (int length in s_edges)
            CheckDecode(model, format, usesCluster, [(length - 1, 1)]);
    }

    [Theory]
    [MemberData(nameof(DecodeKernels))]
    public void Decode_TokensNotYetInTheCache_ArePutThereAndSeen(string model, KeyValueFormat format, bool usesCluster)
    {
        Assert.SkipWhen(format == KeyValueFormat.BFloat16, "The projection writes bf16 caches itself.");
        CheckDecode(model, format, usesCluster, [.. s_edges.Select(length => (length - 1, 1))], putsAway: true);
        CheckDecode(model, format, usesCluster, [.. s_edges.Select(length => (length - 1, 1))], hasUpdates: true, putsAway: true);
        CheckDecode(model, format, usesCluster, [(3000, 1)], putsAway: true);
    }

    [Theory]
    [MemberData(nameof(DecodeKernels))]
    public void Decode_LongAndShortRowsTogether_AreSoftmaxOverTheirKeys(string model, KeyValueFormat format, bool usesCluster)
    {
        CheckDecode(model, format, usesCluster, [(5000, 1)]);
        CheckDecode(model, format, usesCluster, [.. Enumerable.Range(0, 40).Select(row => (row % 23 == 5 ? 2000 + row : 3 * row, 1))]);
    }

    [Theory]
    [MemberData(nameof(DecodeKernels))]
    public void Decode_BeforeRowsOfSeveralTokens_LeavesThoseAlone(string model, KeyValueFormat format, bool usesCluster)
    {
        (int, int)[] rows = [(99, 1), (700, 1), (10, 5), (20, 1)];
        (AttentionKernels kernels, ModelShape shape) = Kernels(model, format);
        using AttentionProblem problem = new(shape, format, rows, kernels.PrefillTileTokens, kernels.PartialBytes, Seed);
        problem.PoisonOutput();

        problem.Decode(Launch(kernels, shape, usesCluster, rows: 2));

        ushort[] output = problem.Output();
        double[] expected = problem.Expected();
        int decoded = 2 * shape.QueryWidth;
        AssertClose(expected[..decoded], output[..decoded], $"{model} {format}");
        Assert.All(output[decoded..], value => Assert.Equal(0xC2C2, value));
    }

    [Theory]
    [MemberData(nameof(PrefillKernels))]
    public void Prefill_RowsAroundEveryBorder_AreSoftmaxOverTheirKeys(string model, KeyValueFormat format, string kernel)
    {
        CheckPrefill(model, format, kernel, [.. s_edges.Select(length => (0, length))]);
        CheckPrefill(model, format, kernel, [(1, 63), (63, 2), (64, 64), (65, 129), (1000, 17), (127, 1), (513, 300)]);
    }

    [Theory]
    [MemberData(nameof(DecodeKernels))]
    public void Decode_AHundredTimes_IsBitIdentical(string model, KeyValueFormat format, bool usesCluster)
    {
        (int, int)[] rows = [.. Enumerable.Range(0, 12).Select(row => (10 + (row * row * 9), 1))];
        (AttentionKernels kernels, ModelShape shape) = Kernels(model, format);
        using AttentionProblem problem = new(shape, format, rows, kernels.PrefillTileTokens, Math.Max(kernels.PartialBytes, 64 << 20), Seed);
        problem.Decode(Launch(kernels, shape, usesCluster, rows.Length));
        ushort[] first = problem.Output();

        for (int run = 0; run < 100; run++)
        {
            problem.Decode(Launch(kernels, shape, usesCluster, rows.Length), overlaps: true);
            Assert.True(first.AsSpan().SequenceEqual(problem.Output()), $"run {run}");
        }
    }

    [Theory]
    [InlineData("tales", KeyValueFormat.BFloat16)]
    [InlineData("0.3b", KeyValueFormat.BFloat16)]
    [InlineData("0.3b", KeyValueFormat.Float8)]
    public void Prefill_IntoCodes_QuantisesTheOutput(string model, KeyValueFormat format)
    {
        (AttentionKernels kernels, ModelShape shape) = Kernels(model, format);
        Assert.SkipUnless(kernels.PrefillTakesTensorMaps, "The device has no warpgroup products.");
        AttentionTile tile = AttentionKernels.Warpgroups(shape, format, consumers: 2, pages: 2, stages: 2, quantizes: true);
        using AttentionProblem problem = new(shape, format, [(0, 100), (70, 31)], tile.Rows / shape.QueryHeadsPerKeyValueHead, kernels.PartialBytes, Seed);
        problem.Prefill(tile);
        float[] plain = [.. AttentionProblem.ToDoubles(problem.Output()).Select(value => (float)value)];

        QuantizedInput codes = problem.PrefillQuantized(tile);

        // What was rounded to bf16 above is quantised here as it was.
        Float8KernelTests.AssertQuantized(plain, codes, slack: 1 / 256f);
    }

    [Theory]
    [MemberData(nameof(PrefillKernels))]
    public void Prefill_AHundredTimes_IsBitIdentical(string model, KeyValueFormat format, string kernel)
    {
        (AttentionKernels kernels, ModelShape shape) = Kernels(model, format);
        AttentionTile tile = Tile(kernels, shape, format, kernel);
        using AttentionProblem problem = new(shape, format, [(100, 333), (0, 500)], tile.Rows / shape.QueryHeadsPerKeyValueHead, kernels.PartialBytes, Seed);
        problem.Prefill(tile);
        ushort[] first = problem.Output();

        for (int run = 0; run < 100; run++)
        {
            problem.Prefill(tile, overlaps: true);
            Assert.True(first.AsSpan().SequenceEqual(problem.Output()), $"run {run}");
        }
    }

    private static void CheckDecode(string model, KeyValueFormat format, bool usesCluster, (int Start, int Count)[] rows, bool hasUpdates = false, bool putsAway = false)
    {
        (AttentionKernels kernels, ModelShape shape) = Kernels(model, format);
        using AttentionProblem problem = new(shape, format, rows, kernels.PrefillTileTokens, Math.Max(kernels.PartialBytes, 64 << 20), Seed + rows.Length, hasUpdates, putsAway: putsAway);
        problem.PoisonOutput();

        problem.Decode(Launch(kernels, shape, usesCluster, rows.Length));

        AssertClose(problem.Expected(), problem.Output(), $"{model} {format} cluster {usesCluster}, lengths {string.Join(",", rows.Take(12))}");
        if (putsAway)
            problem.AssertPutAway();
    }

    private static void CheckPrefill(string model, KeyValueFormat format, string kernel, (int Start, int Count)[] rows)
    {
        (AttentionKernels kernels, ModelShape shape) = Kernels(model, format);
        AttentionTile tile = Tile(kernels, shape, format, kernel);
        using AttentionProblem problem = new(shape, format, rows, tile.Rows / shape.QueryHeadsPerKeyValueHead, kernels.PartialBytes, Seed + rows.Length);
        problem.PoisonOutput();

        problem.Prefill(tile);

        AssertClose(problem.Expected(), problem.Output(), $"{model} {format} {kernel}");
    }

    // Weights are rounded to 8 bits (f16: 11) before they meet the values, and the output is rounded once more. Each head of each token is
    // measured by its own size: a token with few keys has outputs as large as values, one with many the average of many.
    private static void AssertClose(double[] expected, ushort[] actual, string what)
    {
        double[] values = AttentionProblem.ToDoubles(actual);
        Assert.False(values.Any(double.IsNaN), $"{what}: NaN at {Array.FindIndex(values, double.IsNaN)}");
        try
        {
            AssertClose(expected, values);
        }
        catch (Xunit.Sdk.XunitException exception)
        {
            Assert.Fail($"{what}, seed {Seed}: {exception.Message}");
        }
    }

    internal static void AssertClose(double[] expected, double[] actual)
    {
        const int HeadSize = 128;
        double[] scaledExpected = new double[expected.Length], scaledActual = new double[expected.Length];
        for (int first = 0; first < expected.Length; first += HeadSize)
        {
            double size = Math.Sqrt(expected.AsSpan(first, HeadSize).ToArray().Sum(value => value * value) / HeadSize);
            for (int i = first; i < first + HeadSize; i++)
                (scaledExpected[i], scaledActual[i]) = (expected[i] / size, actual[i] / size);
        }

        Numeric.AssertClose(scaledExpected, scaledActual, Tolerance.Relative(2.0 / 256, "weights and outputs rounded to bf16"));
    }

    private static (AttentionKernels Kernels, ModelShape Shape) Kernels(string model, KeyValueFormat format)
    {
        CudaDevice device = Gpu.Require();
        ModelShape shape = model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base;
        return (AttentionKernels.Create(shape, device.Profile, format), shape);
    }

    // Grids as for a few rows, also where the plan would take the other kernel.
    private static AttentionLaunch Launch(AttentionKernels kernels, ModelShape shape, bool usesCluster, int rows)
    {
        if (!usesCluster)
            return kernels.DecodeFor(1000);

        Assert.SkipWhen(kernels.DecodeClusters.Count == 0, "The device has no clusters.");
        // Several clusters a row in short launches, one in long ones.
        return kernels.ClusterLaunch(kernels.DecodeClusters[rows % 2], rows);
    }

    internal static AttentionTile Tile(AttentionKernels kernels, ModelShape shape, KeyValueFormat format, string kernel)
    {
        if (kernel == "plan")
            return new AttentionTile(kernels.Prefill, kernels.PrefillTileRows, kernels.PrefillTakesTensorMaps);

        if (!kernel.StartsWith("wgmma", StringComparison.Ordinal))
            return AttentionKernels.WarpTiles(shape, format, kernel[0] - '0', kernel[2] - '0');

        Assert.SkipUnless(Gpu.Require().Profile.Architecture.HasWarpgroupProducts, "The device has no warpgroup products.");
        int[] numbers = [.. kernel.Split('-').Skip(1).Select(int.Parse)];
        return AttentionKernels.Warpgroups(shape, format, numbers[0], numbers[1], numbers[2]);
    }
}
