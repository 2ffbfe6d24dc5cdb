using Ernie.Graph;
using Ernie.Testing;
using Ernie.Testing.Gpu;

namespace Ernie.Kernels.Tests;

public class PersistentKernelTests
{
    [Fact]
    public void Create_OnHopper_GivesTheReviewedTexts() => Snapshot.MatchSet(
        from model in (string[])["tales", "ernie-4.5-0.3b"]
        from quantization in DenseGraphs.Recipes.Keys
        let kernel = Plan(model, DenseGraphs.Recipes[quantization], Hopper).Persistent! // The test fails without.
        select ($"{model}.{quantization}", $"{KernelSource.Create(kernel.Kernel).Text}// {kernel.Kernel.SharedMemoryBytes} bytes of shared memory, {kernel.ExchangeBytes} of exchange\n"));

    [Theory]
    [InlineData("sm_80")]
    [InlineData("sm_86")]
    [InlineData("sm_89")]
    public void Create_BeforeHopper_HasNone(string architecture)
    {
        KernelPlan plan = Plan("ernie-4.5-0.3b", DenseGraphs.Recipes["wint4"], DeviceProfile.Typical(GpuArchitecture.Parse(architecture)));

        AssertNone(plan, architecture, "9.0");
    }

    [Theory]
    [InlineData("ernie-4.5-0.3b", 120, 2)]
    [InlineData("tales", 64, 1)]
    public void Create_Clusters_NeedAMultiprocessorPerBlock(string model, int blocks, int heads)
    {
        KernelPlan enough = Plan(model, DenseGraphs.Recipes["wint4"], Hopper with { Multiprocessors = blocks });
        KernelPlan tooFew = Plan(model, DenseGraphs.Recipes["wint4"], Hopper with { Multiprocessors = blocks - 1 });

        Assert.Equal(blocks, enough.Persistent?.Shares.Blocks);
        Assert.Equal(heads, enough.Persistent?.Shares.ClusterHeads);
        Assert.Equal(PersistentShares.ClusterBlocks, enough.Persistent?.Kernel.ClusterSize);
        AssertNone(tooFew, $"{blocks - 1} multiprocessors", $"{blocks} blocks");
    }

    [Theory]
    [InlineData(16, true)]
    [InlineData(15, true)]
    [InlineData(14, false)]
    [InlineData(0, false)]
    public void FindObstacle_ResidentClusters_MustBeAll(int resident, bool suffices)
    {
        PersistentKernel kernel = Plan("ernie-4.5-0.3b", DenseGraphs.Recipes["wint4"], Hopper).Persistent!; // Hopper has one.

        string? obstacle = kernel.FindObstacle(resident);

        Assert.Equal(suffices, obstacle is null);
        if (!suffices)
            Assert.Contains($"{resident} clusters of 8 blocks at once; 15 are needed", obstacle, StringComparison.Ordinal);
    }

    // 120 blocks. Three tiles of 16 rows and a rest of 8 with 1024 inputs are the most of a block.
    [Theory]
    [InlineData(1024, 3072, 103424, null)]
    [InlineData(2048, 3072, 103424, "for which a warp would hold")]
    [InlineData(1024, 3200, 103424, "a block has 64 rows of a layer's weight of 6400 x 1024, for which a warp would hold 4 tiles")]
    [InlineData(1024, 512, 103424, null)]
    [InlineData(1024, 384, 103424, "384 intermediate values of 'ernie-4.5-0.3b' are too few for 120 blocks, four for each")]
    public void Create_RowsOfABlock_FitItsRegisters(int hidden, int intermediate, int vocabulary, string? obstacle)
    {
        ModelShape shape = DenseGraphs.Base with { HiddenSize = hidden, IntermediateSize = intermediate, VocabularySize = vocabulary };

        KernelPlan plan = Plan(shape, DenseGraphs.Recipes["bf16"]);

        AssertNoneIf(obstacle, plan);
    }

    [Theory]
    [InlineData(16, 2, null)]
    [InlineData(16, 8, null)]
    [InlineData(16, 16, "16 query heads of 'ernie-4.5-0.3b' over 16 key/value heads do not make clusters of 2 heads with the same keys")]
    [InlineData(8, 1, null)]
    [InlineData(14, 14, "a block has 448 rows of a layer's weight")]
    [InlineData(32, 4, "32 query heads of 'ernie-4.5-0.3b' leave no cluster for keys and values")]
    public void Create_Heads_MakeClustersWithTheSameKeys(int heads, int keyValueHeads, string? obstacle)
    {
        ModelShape shape = DenseGraphs.Base with { QueryHeads = heads, KeyValueHeads = keyValueHeads, HiddenSize = 512, IntermediateSize = 1024 };

        KernelPlan plan = Plan(shape, DenseGraphs.Recipes["bf16"]);

        AssertNoneIf(obstacle, plan);
    }

    // Every row belongs to one block, and the blocks' rows follow each other: that is what makes a block's rows and scales one piece of memory.
    [Theory]
    [InlineData("ernie-4.5-0.3b", 6144)]
    [InlineData("ernie-4.5-0.3b", 1024)]
    [InlineData("ernie-4.5-0.3b", 103424)]
    [InlineData("ernie-4.5-0.3b", 0)]
    [InlineData("tales", 1536)]
    [InlineData("tales", 256)]
    [InlineData("tales", 0)]
    public void Shares_OfAllBlocks_AreEveryRowOnce(string model, int rows)
    {
        PersistentShares shares = Plan(model, DenseGraphs.Recipes["wint4"], Hopper).Persistent!.Shares; // Hopper has one.
        foreach (bool isLate in (bool[])[false, true])
        {
            int next = 0, most = 0;
            for (int block = 0; block < shares.Blocks; block++)
            {
                (int first, int count) = rows == 0 ? shares.QueryKeyValueRows(block) : shares.Rows(block, rows, isLate);
                Assert.Equal(next, first);
                Assert.Equal(0, count % 8);
                next = first + count;
                most = Math.Max(most, count);
            }

            Assert.Equal(rows == 0 ? shares.Shape.QueryWidth + (2 * shares.Shape.KeyValueWidth) : rows, next);
            Assert.Equal(rows == 0 ? shares.MostQueryKeyValueRows : shares.MostRows(rows), most);
        }
    }

    [Theory]
    [InlineData(KeyValueFormat.BFloat16, null)]
    [InlineData(KeyValueFormat.Float8, "kept as Float8")]
    [InlineData(KeyValueFormat.Integer8, "kept as Integer8")]
    public void Create_Cache_MustBeBf16(KeyValueFormat cache, string? obstacle)
    {
        KernelPlan plan = KernelPlanner.Create(
            DenseGraphs.Create(DenseGraphs.Base, DenseGraphs.Recipes["wint4"]), Hopper, cache: cache, persistent: new PersistentTuning());

        AssertNoneIf(obstacle, plan);
    }

    [Fact]
    public void Create_MoreLayersThanSharedMemoryHolds_HasNone()
    {
        // Two slots for scales, 16 bytes of barriers each, are given up before there are too many layers.
        const int LayerBytes = 96, SlotBytes = 2 * 16;
        int available = Hopper.Architecture.SharedMemoryPerBlock;
        int used = Plan(DenseGraphs.Base, DenseGraphs.Recipes["bf16"]).Persistent!.Kernel.SharedMemoryBytes; // Hopper has one.
        int most = DenseGraphs.Base.LayerCount + ((available - used + SlotBytes) / LayerBytes);

        KernelPlan last = Plan(DenseGraphs.Base with { LayerCount = most }, DenseGraphs.Recipes["bf16"]);
        KernelPlan beyond = Plan(DenseGraphs.Base with { LayerCount = most + 1 }, DenseGraphs.Recipes["bf16"]);

        AssertNoneIf(null, last);
        AssertNone(beyond, "shared memory", $"sm_90a has {available}");
    }

    [Fact]
    public void Create_WithoutSizes_HasNoneAndNoObstacle()
    {
        KernelPlan plan = KernelPlanner.Create(DenseGraphs.Create(DenseGraphs.Base, DenseGraphs.Recipes["bf16"]), Hopper);

        Assert.Null(plan.Persistent);
        Assert.Null(plan.PersistentObstacle);
    }

    [Theory]
    [InlineData(1, 8192, true)]
    [InlineData(1, 8193, false)]
    [InlineData(2, 8192, false)]
    public void Decode_OneSequenceUpToTheLimit_IsOneLaunchAndTheDrawing(int batch, int context, bool isPersistent)
    {
        KernelPlan plan = Plan("ernie-4.5-0.3b", DenseGraphs.Recipes["wint4"], Hopper);
        KernelPlan fused = KernelPlanner.Create(DenseGraphs.Create(DenseGraphs.Base, DenseGraphs.Recipes["wint4"]), Hopper);

        IReadOnlyList<StepLaunch> launches = StepListing.Decode(plan, batch, context), others = StepListing.Decode(fused, batch, context);

        Assert.Equal(isPersistent ? ["ernie_decode_step", "ernie_sample"] : others.Select(step => step.Launch.Kernel.Name), launches.Select(step => step.Launch.Kernel.Name));
        // The same weights and keys are read.
        Assert.Equal(others.Sum(step => step.Bytes), launches.Sum(step => step.Bytes));
    }

    [Fact]
    public void PrintDecode_WhereItIsAskedForAndNotUsed_SaysWhy()
    {
        KernelPlan plan = Plan("ernie-4.5-0.3b", DenseGraphs.Recipes["wint4"], Hopper with { Multiprocessors = 114 });
        using StringWriter one = new(), two = new();

        KernelPlanPrinter.PrintDecode(plan, 1, 128, one);
        KernelPlanPrinter.PrintDecode(plan, 2, 128, two);

        Assert.Contains("no persistent kernel: 114 multiprocessors do not hold 120 blocks", one.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("persistent", two.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void MarkNames_OfALayer_AreAsManyAsItsMarks() => Assert.Equal(PersistentKernel.MarksPerLayer, PersistentKernel.MarkNames.Count);

    [Theory]
    [InlineData(1024, 8, int.MaxValue)]
    [InlineData(6144, 16, int.MaxValue)]
    [InlineData(103424, 8, PersistentShares.HeadPieceRows)]
    public void PackScales_EveryScale_LiesWhereItsBlockReadsIt(int outputs, int groups, int pieceRows)
    {
        PersistentShares shares = Plan("ernie-4.5-0.3b", DenseGraphs.Recipes["wint4"], Hopper).Persistent!.Shares; // Hopper has one.
        float[] scales = [.. Enumerable.Range(0, outputs * groups).Select(index => (float)index)];

        float[] packed = shares.PackScales(scales, groups, block => shares.Rows(block, outputs, isLate: false), pieceRows);

        Assert.Equal(scales.Length, packed.Length);
        for (int block = 0; block < shares.Blocks; block++)
        {
            (int first, int count) = shares.Rows(block, outputs, isLate: false);
            for (int row = 0; row < count; row++)
            {
                int piece = row / pieceRows * pieceRows, rows = Math.Min(pieceRows, count - piece);
                for (int group = 0; group < groups; group++)
                    Assert.Equal(scales[(group * outputs) + first + row], packed[((first + piece) * groups) + (group * rows) + row - piece]);
            }
        }
    }

    // With an obstacle there is none, and the plan says why; without there is one.
    private static void AssertNoneIf(string? obstacle, KernelPlan plan)
    {
        if (obstacle is not null)
        {
            AssertNone(plan, obstacle);
            return;
        }

        Assert.Null(plan.PersistentObstacle);
        Assert.NotNull(plan.Persistent);
    }

    private static void AssertNone(KernelPlan plan, params string[] words)
    {
        Assert.Null(plan.Persistent);
        Assert.All(words, word => Assert.Contains(word, plan.PersistentObstacle, StringComparison.Ordinal));
    }

    private static DeviceProfile Hopper => DeviceProfile.Typical(GpuArchitecture.Parse("sm_90a"));

    private static KernelPlan Plan(string model, QuantizationRecipe recipe, DeviceProfile device) => KernelPlanner.Create(
        DenseGraphs.Create(model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base, recipe), device, persistent: new PersistentTuning());

    private static KernelPlan Plan(ModelShape shape, QuantizationRecipe recipe) =>
        KernelPlanner.Create(DenseGraphs.Create(shape, recipe), Hopper, persistent: new PersistentTuning());
}
