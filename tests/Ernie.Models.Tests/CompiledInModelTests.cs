using Ernie.Generators;
using Ernie.Graph;
using Ernie.Testing;

namespace Ernie.Models.Tests;

public sealed class CompiledInModelTests
{
    public static TheoryData<string> ModelNames => [.. ModelRegistry.CompiledIn.Select(model => model.Shape.Name)];

    [Fact]
    public void CompiledIn_EveryConfigOfTheRepository_IsThere()
    {
        IEnumerable<string> folders = Directory.EnumerateDirectories(Path.Combine(SharedFixtures.RepositoryRoot, "models"))
            .Where(folder => File.Exists(Path.Combine(folder, "config.json")))
            .Select(folder => Path.GetFileName(folder));

        Assert.Equal(folders.Order(StringComparer.Ordinal), ModelRegistry.CompiledIn.Select(model => model.Shape.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(ModelNames))]
    public void BuildGraph_EveryModel_IsWellFormedBeforeAndAfterPasses(string name)
    {
        ModelDefinition model = ModelRegistry.FindByName(name)!;
        var recipe = new QuantizationRecipe(WeightEncoding.Int4Group(128), WeightEncoding.Int8PerChannel);

        Assert.Empty(GraphVerifier.Verify(model.BuildGraph()));
        Assert.Empty(GraphVerifier.Verify(model.BuildOptimizedGraph(recipe)));
    }

    [Theory]
    [InlineData("ernie-4.5-0.3b", 360_748_032L)]
    [InlineData("tales", 6_950_144L)]
    [InlineData("qwen3-0.6b", 596_049_920L)]
    public void Weights_DenseModel_HaveThePublishedNumberOfParameters(string name, long parameters) =>
        Assert.Equal(parameters, ModelRegistry.FindByName(name)!.BuildGraph().Weights.Sum(tensor => tensor.ElementCount));

    [Theory]
    [InlineData("ernie-4.5-21b-a3b", 21.8)]
    [InlineData("ernie-4.5-300b-a47b", 298.6)]
    public void Weights_MixtureOfExperts_AddUpToTheFamilysName(string name, double billions) => Assert.Equal(
        billions, ModelRegistry.FindByName(name)!.BuildGraph().Weights.Sum(tensor => tensor.ElementCount) / 1e9, tolerance: 0.1);

    [Fact]
    public void Weights_TiedHead_NameNoHeadAndIgnoreItsDuplicate()
    {
        ModelGraph graph = Tales.BuildGraph();

        Assert.DoesNotContain(graph.Weights, tensor => tensor.Name == "lm_head.weight");
        Assert.True(graph.MayIgnore("lm_head.weight"));
        Assert.True(graph.MayIgnore("model.mtp_block.0.mlp.gate_proj.weight"));
        Assert.False(graph.MayIgnore("model.layers.6.mlp.gate_proj.weight"));
    }

    [Fact]
    public void Weights_UntiedHead_NameItAndIgnoreNothing()
    {
        string config = ReadTales().Replace("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false", StringComparison.Ordinal);

        ModelGraph graph = ModelRegistry.Resolve(new ConfigFile("tales", "config.json", config)).Definition.BuildGraph();

        Assert.Contains(new TensorReference("lm_head.weight", 4096, 256), graph.Weights);
        Assert.False(graph.MayIgnore("lm_head.weight"));
    }

    [Fact]
    public void FindCompiledIn_ReformattedAndReordered_IsTheSameModel()
    {
        // rope_theta at the top level, torch_dtype instead of dtype, other order, no spaces, defaults left out.
        const string config = """
            {"vocab_size":4096,"torch_dtype":"bfloat16","rope_theta":5e5,"model_type":"ernie4_5","hidden_size":256,"num_hidden_layers":6,
             "num_attention_heads":4,"num_key_value_heads":2,"head_dim":128,"intermediate_size":768,"max_position_embeddings":8192,
             "rms_norm_eps":0.00001,"_name_or_path":"elsewhere","some_future_key":{"a":[1,2]}}
            """;

        Assert.Same(Tales.Definition, ModelRegistry.FindCompiledIn(new ConfigFile("my-tales", "config.json", config)));
    }

    [Fact]
    public void GeneratedConstants_ZeroPointThreeB_AreTheConfigs()
    {
        ModelShape shape = Ernie45_0_3B.Shape;

        Assert.Equal((1024, 18, 16, 2, 128, 3072, 103424, 131072), (
            shape.HiddenSize, shape.LayerCount, shape.QueryHeads, shape.KeyValueHeads, shape.HeadDim, shape.IntermediateSize, shape.VocabularySize, shape.MaxPosition));
        Assert.Equal((500000.0, 1e-5, 1.0, true), (shape.RopeTheta, shape.RmsNormEpsilon, shape.CompressionRatio, shape.TieWordEmbeddings));
        Assert.Equal([2], shape.EndTokenIds);
        Assert.Equal(2048, Ernie45_0_3B.QueryWidth);
    }

    [Fact]
    public void Experts_300B_AreInLayers3To53()
    {
        MixtureOfExpertsShape experts = Ernie45_300B_A47B.Shape.MixtureOfExperts!;

        Assert.Equal((false, true, true, false), (experts.Contains(2), experts.Contains(3), experts.Contains(53), experts.Contains(54)));
        Assert.Equal(51, Ernie45_300B_A47B.BuildGraph().Nodes.OfType<ExpertsNode>().Count());
    }

    internal static string ReadTales() => File.ReadAllText(Path.Combine(SharedFixtures.RepositoryRoot, "models", "tales", "config.json"));
}
