using Ernie.Graph;
using Ernie.Testing.Gpu;

namespace Ernie.Kernels.Tests;

/// <summary>Graphs that no pattern takes are refused with the operation, its inputs and what would be taken.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData((int)Oddity.ParallelBlocks, "addRmsNorm", "is read by|= linear|and by", "one product reads")]
    [InlineData((int)Oddity.TwoNormsOfOneSum, "gate", "after|has taken its place", "as the latest sum left it")]
    [InlineData((int)Oddity.PostNorm, "addRmsNorm", "is read by|and by", "one product reads")]
    [InlineData((int)Oddity.NormOfTheBranch, "branch_norm", "is read by|add", "one product reads")]
    [InlineData((int)Oddity.NoResidualSum, "linear|o.weight", "reads", "taken is")]
    [InlineData((int)Oddity.UnrotatedKeys, "attention layer 1", "does not read what its kernels are given", "queries and keys rotated alike")]
    [InlineData((int)Oddity.RotatedValues, "attention layer 1", "does not read what its kernels are given", "queries and keys rotated alike")]
    [InlineData((int)Oddity.RotatedByHalves, "rope", "rotates by halves", "neighbouring pairs")]
    [InlineData((int)Oddity.UnnormedAttention, "linear|q.weight", "reads rows that are not normed", "a product of a norm of the residual")]
    [InlineData((int)Oddity.SumOfTheFirstResidual, "o.weight", "has taken its place", "as the latest sum left it")]
    [InlineData((int)Oddity.SecondActivation, "swiGlu", "does not read what its kernel is given", "two halves of one product")]
    [InlineData((int)Oddity.HeadBeforeTheNorm, "addRmsNorm", "is read by nothing", "the last norm, which the head and the hidden states share")]
    [InlineData((int)Oddity.ReadAttentionTwice, "= add", "is not a product added to the residual", "the residual plus a product that nothing else reads")]
    public void Create_GraphThatNoPatternTakes_IsRefusedWithTheOperationAndWhatWouldBeTaken(int oddity, string operation, string found, string taken)
    {
        ModelGraph graph = OddGraphs.Create(Shape, QuantizationRecipe.None, (Oddity)oddity);

        foreach (GpuArchitecture architecture in GpuArchitecture.Tested)
        {
            KernelPlanException exception = Assert.Throws<KernelPlanException>(() => KernelPlanner.Create(graph, DeviceProfile.Typical(architecture)));

            Assert.StartsWith("'tales' has no GPU kernels: '", exception.Message, StringComparison.Ordinal);
            Assert.Contains(". It reads ", exception.Message, StringComparison.Ordinal);
            foreach (string part in (string[])[.. operation.Split('|'), .. found.Split('|'), .. taken.Split('|')])
                Assert.Contains(part, exception.Message, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public void Create_WithoutAnOddity_IsTaken() =>
        Assert.All(GpuArchitecture.Tested, architecture => KernelPlanner.Create(OddGraphs.Create(Shape, QuantizationRecipe.None), DeviceProfile.Typical(architecture)));

    // Kernels are shared where specifications are equal, and only there.
    [Fact]
    public void Create_LayersStoredDifferently_HaveKernelsOfTheirOwnAndNoPersistentOne()
    {
        ModelGraph graph = OddGraphs.Create(Shape, QuantizationRecipe.None);
        ModelGraph mixed = new(
            graph.Shape, graph.Values,
            [.. graph.Nodes.Select(node => node.ReplaceLinears(weight =>
                weight.Parts[0].Name.Contains("layers.2.", StringComparison.Ordinal) ? weight with { Encoding = WeightEncoding.Int8PerChannel } : weight))],
            graph.Hidden, graph.Logits);
        DeviceProfile hopper = DeviceProfile.Typical(GpuArchitecture.Parse("sm_90a"));

        KernelPlan plan = KernelPlanner.Create(mixed, hopper, persistent: new PersistentTuning());

        Assert.Equal(9, plan.Linears.Count);
        Assert.Equal(["ernie_qkv_decode_bf16", "ernie_qkv_decode_bf16", "ernie_qkv_decode_int8"],
            StepListing.Decode(plan, 4, 10).Select(step => step.Launch.Kernel.Name).Where(name => name.Contains("qkv", StringComparison.Ordinal)));
        Assert.Null(plan.Persistent);
        Assert.Contains("layer 2 has '", plan.PersistentObstacle, StringComparison.Ordinal);
        Assert.Contains("layers that are all alike", plan.PersistentObstacle, StringComparison.Ordinal);
    }

    private static ModelShape Shape { get; } = DenseGraphs.Tales with { LayerCount = 3 };
}
