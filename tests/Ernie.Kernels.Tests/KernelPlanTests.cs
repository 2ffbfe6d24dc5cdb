using Ernie.Graph;
using Ernie.Testing;
using Ernie.Testing.Gpu;

namespace Ernie.Kernels.Tests;

public class KernelPlanTests
{
    public static TheoryData<string> Models => new("tales", "ernie-4.5-0.3b");

    [Theory]
    [MemberData(nameof(Models))]
    public void Create_EachQuantisationAndArchitecture_GivesTheReviewedPlan(string model)
    {
        IEnumerable<(string, string)> plans =
            from recipe in DenseGraphs.Recipes
            from architecture in GpuArchitecture.Tested
            select ($"{recipe.Key}.{architecture}", Print(Plan(model, recipe.Value, architecture)));

        Snapshot.MatchSet(plans, $"Create.{model}");
    }

    [Fact]
    public void Create_SourceOfAWint4Plan_IsTheReviewedText()
    {
        KernelPlan plan = Plan("ernie-4.5-0.3b", DenseGraphs.Recipes["wint4"], GpuArchitecture.Parse("sm_90a"));

        Snapshot.Match(string.Join("\n", plan.Kernels.Select(kernel => KernelSource.Create(kernel).Text)));
    }

    [Fact]
    public void Create_SharedMemory_FitsEveryArchitecture()
    {
        foreach (GpuArchitecture architecture in GpuArchitecture.Tested)
        {
            foreach (KernelSpec kernel in DenseGraphs.Recipes.Values.SelectMany(recipe => Plan("ernie-4.5-0.3b", recipe, architecture).Kernels))
                Assert.True(kernel.SharedMemoryBytes <= architecture.SharedMemoryPerBlock, $"{kernel.Name} on {architecture}");
        }
    }

    [Fact]
    public void Create_WithoutCopies_MultipliesByPackedWeights()
    {
        ModelGraph graph = DenseGraphs.Create(DenseGraphs.Base, new QuantizationRecipe(WeightEncoding.Int8PerChannel, WeightEncoding.Bf16));
        DeviceProfile hopper = DeviceProfile.Typical(GpuArchitecture.Parse("sm_90a"));

        KernelPlan with = KernelPlanner.Create(graph, hopper), without = KernelPlanner.Create(graph, hopper, keepsBf16Copies: false);

        Assert.True(with.Linear("qkv").TileFor(100).PreparesNorms);
        Assert.False(without.Linear("qkv").TileFor(100).PreparesNorms);
        Assert.All(with.Linears, linear => Assert.All(linear.Tiles, tile => Assert.True(tile.ReadsPlainRows)));
        // The head is bf16 in this recipe: it needs no copy.
        Assert.All(without.Linears, linear => Assert.All(linear.Tiles, tile => Assert.Equal(linear == without.Head, tile.ReadsPlainRows)));
        Assert.All(without.Linears, linear => Assert.Null(linear.Expand));
    }

    // They hand each other their inputs.
    [Theory]
    [InlineData("fp8", "sm_80", LinearForm.Tile, LinearForm.Tile)]
    [InlineData("fp8", "sm_86", LinearForm.Tile, LinearForm.Tile)]
    [InlineData("fp8", "sm_89", LinearForm.Tile, LinearForm.Float8)]
    [InlineData("fp8", "sm_90a", LinearForm.Warpgroup, LinearForm.WarpgroupFloat8)]
    [InlineData("wint8", "sm_90a", LinearForm.Warpgroup, LinearForm.Warpgroup)]
    public void FormFor_SmallAndLargeSteps_IsTheSameForAllMatricesOfALayer(string recipe, string architecture, LinearForm small, LinearForm large)
    {
        KernelPlan plan = Plan("ernie-4.5-0.3b", DenseGraphs.Recipes[recipe], GpuArchitecture.Parse(architecture));

        Assert.All(plan.Linears.Where(linear => linear != plan.Head), linear => Assert.Equal(small, linear.TileFor(64).Form));
        Assert.All(plan.Linears.Where(linear => linear != plan.Head), linear => Assert.Equal(large, linear.TileFor(4096).Form));
        Assert.Equal(recipe == "fp8", plan.Notes.Count > 0);
    }

    [Theory]
    [InlineData("bf16", "sm_90a", 0)]
    [InlineData("fp8", "sm_90a", 509_607_936)]
    [InlineData("wint8", "sm_90a", 509_607_936 + 211_812_352)]
    [InlineData("wint8", "sm_80", 0)]
    public void Bf16CopyBytes_OfAPlan_AreThoseOfItsQuantisedWeights(string recipe, string architecture, long bytes) => Assert.Equal(
        bytes,
        KernelPlanner.Bf16CopyBytes(
            DenseGraphs.Create(DenseGraphs.Base, DenseGraphs.Recipes[recipe]), DeviceProfile.Typical(GpuArchitecture.Parse(architecture))));

    [Theory]
    [InlineData(9)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(1024)]
    [InlineData(8192)]
    public void TileFor_AnyTokenCount_IsOneThatServesIt(int tokens)
    {
        foreach (GpuArchitecture architecture in GpuArchitecture.Tested)
        {
            foreach (LinearKernels linear in ((string[])["wint4", "fp8"]).SelectMany(recipe => Plan("ernie-4.5-0.3b", DenseGraphs.Recipes[recipe], architecture).Linears))
            {
                LinearTile tile = linear.TileFor(tokens);
                Assert.InRange(tokens, 1, tile.MostTokens);
                Assert.Equal(0, linear.Weight.OutFeatures % tile.Outputs);
                Assert.Equal(tile.Split, tile.Kernel.ClusterSize);
            }
        }
    }

    [Fact]
    public void Create_HeadSizeOtherThan128_IsRefusedWithTheReason()
    {
        ModelShape shape = DenseGraphs.Tales with { HeadDim = 64, QueryHeads = 8, KeyValueHeads = 4 };
        ModelGraph graph = DenseGraphs.Create(shape, QuantizationRecipe.None);

        KernelPlanException exception = Assert.Throws<KernelPlanException>(
            () => KernelPlanner.Create(graph, DeviceProfile.Typical(GpuArchitecture.Parse("sm_80"))));

        Assert.Contains("heads of 64", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 4)]
    [InlineData(8, 8)]
    [InlineData(9, 16)]
    [InlineData(256, 256)]
    [InlineData(257, 0)]
    public void BucketFor_Rows_IsTheSmallestThatHoldsThem(int rows, int bucket) => Assert.Equal(bucket, KernelPlan.BucketFor(rows));

    /// <summary>inspect plan says why, and lists what a long prompt launches.</summary>
    [Fact]
    public void PrintPrefill_OfAFloat8Plan_NamesItsProductsAndTheReason()
    {
        using StringWriter output = new();

        KernelPlanPrinter.PrintPrefill(Plan("ernie-4.5-0.3b", DenseGraphs.Recipes["fp8"], GpuArchitecture.Parse("sm_89")), 4096, output);

        string[] launches = [.. output.ToString().Split('\n').Where(line => line.StartsWith("ernie_", StringComparison.Ordinal)).Select(line => line[..line.IndexOf(' ', StringComparison.Ordinal)])];
        Assert.Equal(
            [
                "ernie_embed", "ernie_normalize_float8", "ernie_qkv_large_fp8_float8", "ernie_attention_prefill", "ernie_quantize_attention", "ernie_o_large_fp8_float8",
                "ernie_normalize_float8", "ernie_gate_up_large_fp8_float8", "ernie_quantize_activation", "ernie_down_large_fp8_float8",
                "ernie_head_decode_bf16", "ernie_sample",
            ],
            launches);
        Assert.Contains("e4m3", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wint8", "sm_86")]
    [InlineData("fp8", "sm_89")]
    [InlineData("fp8", "sm_90a")]
    public void Names_OfThePlansKernels_AreUnique(string recipe, string architecture)
    {
        KernelSpec[] kernels = [.. Plan("tales", DenseGraphs.Recipes[recipe], GpuArchitecture.Parse(architecture)).Kernels];

        Assert.Equal(kernels.Length, kernels.Select(kernel => kernel.Name).Distinct().Count());
    }

    private static KernelPlan Plan(string model, QuantizationRecipe recipe, GpuArchitecture architecture)
    {
        ModelShape shape = model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base;
        return KernelPlanner.Create(DenseGraphs.Create(shape, recipe), DeviceProfile.Typical(architecture));
    }

    private static string Print(KernelPlan plan)
    {
        using StringWriter output = new();
        KernelPlanPrinter.PrintDecode(plan, 1, 1024, output);
        output.WriteLine();
        KernelPlanPrinter.PrintKernels(plan, output);
        return output.ToString();
    }
}
