using Ernie.Graph;
using Ernie.Testing;
using Ernie.Testing.Gpu;

namespace Ernie.Kernels.Tests;

public class PersistentKernelTests
{
    [Fact]
    public void Create_OnHopper_GivesTheReviewedTexts() => Snapshot.MatchSet(
        from model in (string[])["tales", "ernie-4.5-0.3b"]
        from quantization in (string[])["bf16", "wint8", "wint4"]
        let kernel = Plan(model, DenseGraphs.Recipes[quantization], Hopper).Persistent! // The test fails without.
        select ($"{model}.{quantization}", $"{KernelSource.Create(kernel.Kernel).Text}// {kernel.Kernel.SharedMemoryBytes} bytes of shared memory, {kernel.ExchangeBytes} of exchange\n"));

    [Theory]
    [InlineData("sm_80")]
    [InlineData("sm_86")]
    [InlineData("sm_89")]
    public void Create_BeforeHopper_HasNone(string architecture) =>
        Assert.Null(Plan("ernie-4.5-0.3b", DenseGraphs.Recipes["wint4"], DeviceProfile.Typical(GpuArchitecture.Parse(architecture))).Persistent);

    [Fact]
    public void Create_WithFewerMultiprocessorsThanBlocks_HasNone() =>
        Assert.Null(Plan("ernie-4.5-0.3b", DenseGraphs.Recipes["wint4"], Hopper with { Multiprocessors = 114 }).Persistent);

    [Fact]
    public void Create_WithLayersTooWideForOnePiece_HasNone()
    {
        ModelShape wide = DenseGraphs.Base with { IntermediateSize = 8192 };
        KernelPlan plan = KernelPlanner.Create(DenseGraphs.Create(wide, DenseGraphs.Recipes["bf16"]), Hopper, null, new PersistentTuning());

        Assert.Null(plan.Persistent);
    }

    [Fact]
    public void Create_WithoutSizes_HasNone() =>
        Assert.Null(KernelPlanner.Create(DenseGraphs.Create(DenseGraphs.Base, DenseGraphs.Recipes["bf16"]), Hopper).Persistent);

    [Theory]
    [InlineData(128 * 20, 8)]
    [InlineData(128 * 48, 2)]
    [InlineData(128 * 49, 3)]
    [InlineData(128 * 808, 8)]
    public void PackScales_EveryScale_LiesWhereItsBlockReadsIt(int outputs, int groups)
    {
        const int Blocks = 128;
        PersistentKernel kernel = Plan("ernie-4.5-0.3b", DenseGraphs.Recipes["wint4"], Hopper).Persistent!; // Hopper has one.
        float[] scales = [.. Enumerable.Range(0, outputs * groups).Select(index => (float)index)];

        float[] packed = kernel.PackScales(scales, groups);

        int rows = outputs / Blocks;
        Assert.Equal(scales.Length, packed.Length);
        for (int output = 0; output < outputs; output++)
        {
            int block = output / rows, row = output % rows, first = row / PersistentKernel.PieceRows * PersistentKernel.PieceRows;
            int piece = Math.Min(PersistentKernel.PieceRows, rows - first);
            for (int group = 0; group < groups; group++)
                Assert.Equal(scales[(group * outputs) + output], packed[(((block * rows) + first) * groups) + (group * piece) + row - first]);
        }
    }

    private static DeviceProfile Hopper => DeviceProfile.Typical(GpuArchitecture.Parse("sm_90a"));

    private static KernelPlan Plan(string model, QuantizationRecipe recipe, DeviceProfile device)
    {
        ModelShape shape = model == "tales" ? DenseGraphs.Tales : DenseGraphs.Base;
        return KernelPlanner.Create(DenseGraphs.Create(shape, recipe), device, null, new PersistentTuning());
    }
}
