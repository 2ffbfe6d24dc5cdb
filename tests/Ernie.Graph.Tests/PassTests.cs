namespace Ernie.Graph.Tests;

public sealed class PassTests
{
    [Fact]
    public void SharedPasses_List_IsInTheDocumentedOrder() => Assert.Equal(
        ["VerifyShapes", "FoldConstants", "FuseQkv", "FuseGateUp", "FuseResidualNorm", "LowerRouter", "AssignQuantization"],
        SharedPasses.Create(QuantizationRecipe.None).Select(pass => pass.Name));

    [Fact]
    public void SharedPasses_Run_LeaveTheirInputAlone()
    {
        ModelGraph graph = SmallModels.Build(SmallModels.Mixture);
        string before = GraphPrinter.Print(graph);

        PassRunner.Run(graph, SharedPasses.Create(new QuantizationRecipe(WeightEncoding.Fp8Block128, WeightEncoding.Int8PerChannel)));

        Assert.Equal(before, GraphPrinter.Print(graph));
    }

    [Fact]
    public void SharedPasses_SecondRun_ChangeNothing()
    {
        IReadOnlyList<IGraphPass> passes = SharedPasses.Create(QuantizationRecipe.None);
        ModelGraph once = PassRunner.Run(SmallModels.Build(SmallModels.Mixture), passes);

        Assert.Same(once, PassRunner.Run(once, passes));
    }

    [Fact]
    public void PassRunner_Dump_PrintsWhatEachPassDid()
    {
        using var writer = new StringWriter();

        PassRunner.Run(SmallModels.Build(SmallModels.Dense), SharedPasses.Create(QuantizationRecipe.None), writer);

        string text = writer.ToString();
        Assert.Contains("== before the passes", text, StringComparison.Ordinal);
        Assert.Contains("== VerifyShapes: nothing to do", text, StringComparison.Ordinal);
        Assert.Contains("== after FuseQkv", text, StringComparison.Ordinal);
        Assert.Contains("== LowerRouter: nothing to do", text, StringComparison.Ordinal);
        Assert.Contains("l1.q [16, 12] ++ l1.k [8, 12] ++ l1.v [8, 12] bf16", text, StringComparison.Ordinal);
    }

    [Fact]
    public void PassRunner_PassBreaksTheGraph_NamesThePassAndTheRule()
    {
        var exception = Assert.Throws<GraphException>(() => PassRunner.Run(SmallModels.Build(SmallModels.Dense), [new DropLastNode()]));

        Assert.StartsWith("the graph after DropLastNode breaks", exception.Message, StringComparison.Ordinal);
        Assert.Contains(exception.Diagnostics, diagnostic => diagnostic.Id == GraphDiagnosticIds.InvalidOutput);
    }

    [Theory]
    [InlineData(WeightFormat.Int4, 128, 256, "int4/128")]
    [InlineData(WeightFormat.Int4, 128, 192, "int4/64")]
    [InlineData(WeightFormat.Int4, 128, 100, "int4/128")]
    [InlineData(WeightFormat.Int4, 64, 192, "int4/64")]
    [InlineData(WeightFormat.Int4, 0, 100, "int4")]
    [InlineData(WeightFormat.Int8, 0, 100, "int8")]
    [InlineData(WeightFormat.Float8, 128, 100, "fp8/128x128")]
    public void EncodingFor_Layers_ShrinksGroupsOnlyWhereItMust(WeightFormat format, int group, int inFeatures, string expected)
    {
        var recipe = new QuantizationRecipe(new WeightEncoding(format, group), WeightEncoding.Bf16);

        Assert.Equal(expected, recipe.EncodingFor(WeightRole.MlpProjection, inFeatures).ToString());
        Assert.Equal("bf16", recipe.EncodingFor(WeightRole.Head, inFeatures).ToString());
        Assert.Equal("f32", recipe.EncodingFor(WeightRole.Router, inFeatures).ToString());
    }

    [Fact]
    public void AssignQuantization_GroupsDoNotDivide_SaysWhichWeight()
    {
        var recipe = new QuantizationRecipe(WeightEncoding.Int4Group(128), WeightEncoding.Bf16);

        var exception = Assert.Throws<GraphException>(() => PassRunner.Run(SmallModels.Build(SmallModels.Dense), SharedPasses.Create(recipe)));

        Assert.Contains(exception.Diagnostics, diagnostic =>
            diagnostic.Id == GraphDiagnosticIds.EncodingMismatch && diagnostic.Message.Contains("l0.q [16, 12]", StringComparison.Ordinal));
    }

    [Fact]
    public void AssignQuantization_MixedRecipe_GivesEachRoleItsEncoding()
    {
        var recipe = new QuantizationRecipe(WeightEncoding.Int4PerChannel, WeightEncoding.Int8PerChannel);

        ModelGraph graph = PassRunner.Run(SmallModels.Build(SmallModels.Mixture), SharedPasses.Create(recipe));

        Assert.All(graph.Linears, weight => Assert.Equal(
            weight.Role switch
            {
                WeightRole.Head => WeightFormat.Int8,
                WeightRole.Router => WeightFormat.Float32,
                _ => WeightFormat.Int4,
            },
            weight.Encoding.Format));
    }

    [Fact]
    public void FuseResidualNorm_TwoNormsOfOneSum_KeepsTheSecond()
    {
        var builder = new GraphBuilder(SmallModels.Dense with { LayerCount = 0 });
        var table = new TensorReference("embed", 30, 12);
        ValueId embedded = builder.Embed(table);
        ValueId sum = builder.Add(embedded, embedded);
        ValueId one = builder.RmsNorm(sum, new TensorReference("a", 12)), two = builder.RmsNorm(sum, new TensorReference("b", 12));
        ValueId hidden = builder.Add(one, two);
        ModelGraph graph = builder.Build(hidden, builder.Linear(builder.SelectLogitRows(hidden), table, WeightRole.Head));

        ModelGraph fused = PassRunner.Run(graph, [new FuseResidualNorm()]);

        Assert.Single(fused.Nodes.OfType<AddRmsNormNode>());
        Assert.Single(fused.Nodes.OfType<RmsNormNode>());
        Assert.Equal(ReferenceInterpreter.Run(graph, [1, 2], [1]), ReferenceInterpreter.Run(fused, [1, 2], [1]));
    }

    [Fact]
    public void InverseFrequencies_InterleavedPairs_FollowTheFormula()
    {
        float[] frequencies = new RopeParameters(128, 500000, 1, 131072).InverseFrequencies();

        Assert.Equal(64, frequencies.Length);
        Assert.Equal(1f, frequencies[0]);
        Assert.Equal(Math.Pow(500000, -2.0 / 128), frequencies[1], 1e-7);
        Assert.Equal(Math.Pow(500000, -126.0 / 128), frequencies[63], 1e-12);
    }

    private sealed class DropLastNode : IGraphPass
    {
        public string Name => nameof(DropLastNode);

        public ModelGraph Run(ModelGraph graph) => new(graph.Shape, graph.Values, graph.Nodes[..^1], graph.Hidden, graph.Logits);
    }
}
