using Ernie.Caching;
using Ernie.Graph;
using Ernie.Testing;

namespace Ernie.Cpu.Tests;

public sealed class ExecutorTests
{
    private static readonly QuantizationRecipe s_wint4 = new(WeightEncoding.Int4Group(128), WeightEncoding.Int8PerChannel);
    private static readonly QuantizationRecipe s_wint8 = new(WeightEncoding.Int8PerChannel, WeightEncoding.Int8PerChannel);

    [Fact]
    public void Begin_SteadyDecode_AllocatesNothing()
    {
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions, s_wint4);
        int[] ids = TalesFixture.Ids("len-64");
        runner.Run(0, 0, ids);
        DecodeSteps(runner, ids.Length, 20);

        long before = GC.GetAllocatedBytesForCurrentThread();
        DecodeSteps(runner, ids.Length + 20, 50);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(CachePrecision.BFloat16)]
    [InlineData(CachePrecision.Full)]
    [InlineData(CachePrecision.Float8)]
    [InlineData(CachePrecision.Integer8)]
    public void Begin_SteadyDecodeOnOneThread_AllocatesNothing(CachePrecision cache)
    {
        // All the work is on the measured thread here: kernels, attention and norms included.
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions with { Threads = 1, CachePrecision = cache });
        int[] ids = TalesFixture.Ids("len-64");
        runner.Run(0, 0, ids);
        DecodeSteps(runner, ids.Length, 20);

        long before = GC.GetAllocatedBytesForCurrentThread();
        DecodeSteps(runner, ids.Length + 20, 50);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void Kernels_ForcedOneByOne_GiveTheSameLogits(int bits)
    {
        int[] ids = TalesFixture.Ids("len-64").AsSpan(0, 11).ToArray();
        CpuFeatures machine = CpuFeatures.Detect();
        CpuFeatures[] all =
        [
            new() { Vectors = true },
            new() { Avx2 = machine.Avx2 },
            new() { AvxVnni = machine.AvxVnni },
            new() { Avx512Vnni = machine.Avx512Vnni },
        ];
        float[] expected = Logits(new CpuFeatures(), ids, bits, "scalar");

        foreach (CpuFeatures features in all.Where(features => features != new CpuFeatures()))
            Numeric.AssertClose(expected, Logits(features, ids, bits, features.SelectKernel().Name), Tolerance.Exact);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void IntegerActivations_Logits_StayNearFloatOnes(bool fourBits)
    {
        QuantizationRecipe recipe = fourBits ? s_wint4 : s_wint8;
        int[] ids = TalesFixture.Ids("len-64");
        using ModelRunner reference = ModelRunner.Tales(ModelRunner.ReferenceOptions, recipe);
        using ModelRunner fast = ModelRunner.Tales(ModelRunner.SmallOptions, recipe);
        float[] expected = reference.Run(0, 0, ids).ToArray();

        Span<float> actual = fast.Run(0, 0, ids);

        double error = Numeric.RelativeError(expected, actual);
        TestContext.Current.TestOutputHelper?.WriteLine($"{error:E3}");

        // 127 steps per block: rounding errors of 0.4 % per layer input, six layers.
        Assert.True(error <= 0.03, $"relative error {error:E3}.");
    }

    [Fact]
    public void Begin_WhileAStepIsInFlight_Throws()
    {
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions);
        runner.Run(0, 0, [1, 2, 3]);
        runner.Executor.Begin(runner.Batch);

        Assert.Throws<InvalidOperationException>(() => runner.Executor.Begin(runner.Batch));

        runner.Executor.Complete();
        Assert.Throws<InvalidOperationException>(() => runner.Executor.Complete());
    }

    [Fact]
    public void Begin_LastPositionAndOneBeyond_RunsAndThrows()
    {
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions with { MaxModelLength = 70 });

        runner.Run(0, 69, [1]);

        Assert.Throws<ArgumentOutOfRangeException>(() => runner.Run(0, 70, [1]).Length);
    }

    [Theory]
    [InlineData(4095, true)]
    [InlineData(4096, false)]
    [InlineData(-1, false)]
    public void Begin_TokenAtVocabularyEdge_RunsOrThrows(int token, bool valid)
    {
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions);

        Exception? failure = Record.Exception(() => runner.Run(0, 0, [token]).Length);

        Assert.Equal(valid, failure is null);
    }

    [Fact]
    public void Begin_PageOutsidePool_Throws()
    {
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions);
        runner.Batch.PageTable[0] = new PageId(runner.Executor.Info.PageCount);

        Assert.Throws<ArgumentOutOfRangeException>(() => runner.Run(0, 0, [1]).Length);
    }

    [Fact]
    public void Constructor_LengthBeyondTheModel_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ModelRunner.Tales(ModelRunner.SmallOptions with { MaxModelLength = 8193 }));

    // Six layers, keys and values of two heads, 64 tokens; 128 values of a head, with a factor of four bytes where there is one.
    [Theory]
    [InlineData(CachePrecision.Full, 2 * 6 * 2 * 64 * 512)]
    [InlineData(CachePrecision.BFloat16, 2 * 6 * 2 * 64 * 256)]
    [InlineData(CachePrecision.Float8, 2 * 6 * 2 * 64 * 132)]
    [InlineData(CachePrecision.Integer8, 2 * 6 * 2 * 64 * 132)]
    public void Constructor_CacheBytes_HoldAsManyPagesAsFit(CachePrecision cache, long pageBytes)
    {
        Assert.Equal(pageBytes, cache.PageBytes(DenseModels.Tales));

        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions with { CachePrecision = cache, CacheBytes = (40 * pageBytes) - 1 });

        Assert.Equal(39, runner.Executor.Info.PageCount);
    }

    [Fact]
    public void Constructor_Progress_CountsToTheTotal()
    {
        var reports = new List<(int Done, int Total)>();

        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions with { Progress = (done, total) => reports.Add((done, total)) });

        Assert.Equal(Enumerable.Range(1, reports.Count), reports.Select(report => report.Done));
        Assert.All(reports, report => Assert.Equal(reports.Count, report.Total));
    }

    private static float[] Logits(CpuFeatures features, int[] ids, int bits, string kernel)
    {
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions with { Features = features }, bits == 4 ? s_wint4 : s_wint8);
        Assert.Contains(kernel, runner.Executor.Info.Device, StringComparison.Ordinal);
        return runner.Run(0, 0, ids).ToArray();
    }

    private static void DecodeSteps(ModelRunner runner, int start, int count)
    {
        for (int i = 0; i < count; i++)
            runner.Run(0, start + i, [17]);
    }
}
