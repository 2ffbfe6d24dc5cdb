using Ernie.Generators;
using Ernie.Graph;
using Ernie.Testing;

namespace Ernie.Models.Tests;

/// <summary>Configs that are not compiled in: their graphs are built at start, by the families that generated classes use.</summary>
public sealed class UnknownConfigTests
{
    public static TheoryData<string> ModelNames => CompiledInModelTests.ModelNames;

    private static ConfigFile Tales(int layers, string name = "other-tales") => new(
        name,
        "config.json",
        CompiledInModelTests.ReadTales().Replace("\"num_hidden_layers\": 6", $"\"num_hidden_layers\": {layers}", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(ModelNames))]
    public void Define_EveryConfigOfTheRepository_IsTheGeneratedModel(string name)
    {
        ModelDefinition generated = ModelRegistry.FindByName(name)!;
        string path = Path.Combine(SharedFixtures.RepositoryRoot, "models", name, "config.json");
        ModelSpec spec = ConfigParser.Parse(new ConfigFile(name, path, File.ReadAllText(path))).Spec!; // It was compiled in.

        ModelDefinition built = SpecModel.Define(name, spec);

        Assert.Equal(generated.Identity, built.Identity);
        Assert.Equal(Numbers(generated.Shape), Numbers(built.Shape));
        Assert.Equal(generated.Shape.EndTokenIds, built.Shape.EndTokenIds);
        Assert.Equal(GraphPrinter.Print(generated.BuildGraph()), GraphPrinter.Print(built.BuildGraph()));
    }

    [Fact]
    public void Resolve_CompiledInConfig_IsTheCompiledInModel()
    {
        string config = Path.Combine(SharedFixtures.RepositoryRoot, "models", "tales", "config.json");

        ResolvedModel model = ModelRegistry.Resolve(config);

        Assert.Equal(ModelSource.CompiledIn, model.Source);
        Assert.Same(Models.Tales.Definition, model.Definition);
    }

    [Fact]
    public void Resolve_OneNameTwoConfigs_AreTwoModels()
    {
        ResolvedModel two = ModelRegistry.Resolve(Tales(layers: 2)), four = ModelRegistry.Resolve(Tales(layers: 4));

        Assert.Equal((ModelSource.Config, ModelSource.Config), (two.Source, four.Source));
        Assert.Equal((2, 4), (two.Definition.Shape.LayerCount, four.Definition.Shape.LayerCount));
    }

    [Fact]
    public void Resolve_HostileModelName_IsText()
    {
        const string Name = "a\"; } evil() { \\ 名 <b>&\n*/";

        Assert.Equal(Name, ModelRegistry.Resolve(Tales(layers: 1, Name)).Definition.Shape.Name);
    }

    [Fact]
    public void Resolve_MixtureWithUnequalLayers_IsWellFormed()
    {
        const string Config = """
            {"model_type":"ernie4_5_moe","hidden_size":64,"num_hidden_layers":5,"num_attention_heads":4,"num_key_value_heads":2,"intermediate_size":96,
             "vocab_size":128,"max_position_embeddings":64,"moe_num_experts":4,"moe_k":2,"moe_intermediate_size":[32,32],"moe_layer_start_index":[1],
             "moe_layer_interval":2,"moe_num_shared_experts":1,"eos_token_id":[2,5]}
            """;

        ModelGraph graph = ModelRegistry.Resolve(new ConfigFile("small", "config.json", Config)).Definition.BuildGraph();

        Assert.Equal(2, graph.Nodes.OfType<ExpertsNode>().Count());
        Assert.Equal([2, 5], graph.Shape.EndTokenIds);
        Assert.Equal(16, graph.Shape.HeadDim);
    }

    [Fact]
    public void Resolve_BadConfig_SaysWhereInTheFile()
    {
        string config = CompiledInModelTests.ReadTales().Replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 3", StringComparison.Ordinal);

        var exception = Assert.Throws<ModelConfigException>(() => ModelRegistry.Resolve(new ConfigFile("tales", "dir/config.json", config)));

        Assert.Equal(
            "dir/config.json(15,26): error ERN1004: 'num_attention_heads' is 3 and must be a multiple of 'num_key_value_heads', which is 2.", exception.Message);
    }

    [Fact]
    public void ErnieModels_AndWhatItUses_HasNoCompiler()
    {
        // The C# compiler is 10 MB beside a server and half a second of its start.
        Assert.DoesNotContain(Directory.EnumerateFiles(AppContext.BaseDirectory), file => Path.GetFileName(file).StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal));
    }

    [Fact]
    public void WeightTable_UnknownRow_SaysWhatThereIs()
    {
        var exception = Assert.Throws<KeyNotFoundException>(() => Models.Tales.Weights.Table["Router"]);

        Assert.Contains("has no 'Router'; it has Embedding, AttentionNorm", exception.Message, StringComparison.Ordinal);
    }

    private static (ModelShape, MixtureOfExpertsShape?) Numbers(ModelShape shape) => (shape with { EndTokenIds = [] }, shape.MixtureOfExperts);
}
