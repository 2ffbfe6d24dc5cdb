using Ernie.Generators;
using Ernie.Graph;
using Ernie.Testing;

namespace Ernie.Models.Tests;

public sealed class ModelCompilerTests
{
    private static ConfigFile Tales(int layers, string name = "other-tales") => new(
        name,
        "config.json",
        CompiledInModelTests.ReadTales().Replace("\"num_hidden_layers\": 6", $"\"num_hidden_layers\": {layers}", StringComparison.Ordinal));

    [Fact]
    public void Resolve_CompiledInConfig_IsNotCompiledAgain()
    {
        using var cache = new TemporaryFolder();
        string config = Path.Combine(SharedFixtures.RepositoryRoot, "models", "tales", "config.json");

        ResolvedModel model = ModelRegistry.Resolve(config, cache.Path);

        Assert.Equal(ModelSource.CompiledIn, model.Source);
        Assert.Empty(Directory.EnumerateFileSystemEntries(cache.Path));
    }

    [Fact]
    public void Resolve_UnknownConfig_IsCompiledOnceAndCached()
    {
        using var cache = new TemporaryFolder();

        ResolvedModel first = ModelRegistry.Resolve(Tales(layers: 3), cache.Path);
        ResolvedModel second = ModelRegistry.Resolve(Tales(layers: 3), cache.Path);

        Assert.Equal((ModelSource.CompiledNow, ModelSource.Cache), (first.Source, second.Source));
        Assert.Equal(GraphPrinter.Print(first.Definition.BuildGraph()), GraphPrinter.Print(second.Definition.BuildGraph()));
        Assert.Equal(3, second.Definition.Shape.LayerCount);
        Assert.Single(Directory.EnumerateFileSystemEntries(cache.Path));
    }

    [Fact]
    public void Resolve_OneNameTwoConfigs_AreTwoModels()
    {
        using var cache = new TemporaryFolder();

        ModelDefinition two = ModelRegistry.Resolve(Tales(layers: 2), cache.Path).Definition;
        ModelDefinition four = ModelRegistry.Resolve(Tales(layers: 4), cache.Path).Definition;

        Assert.Equal((2, 4), (two.Shape.LayerCount, four.Shape.LayerCount));
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("truncated")]
    [InlineData("flipped")]
    [InlineData("garbage")]
    public void Resolve_DamagedCacheEntry_IsCompiledAgainAndRepaired(string damage)
    {
        using var cache = new TemporaryFolder();
        ModelRegistry.Resolve(Tales(layers: 5), cache.Path);
        string entry = Directory.EnumerateFiles(cache.Path).Single();
        byte[] bytes = File.ReadAllBytes(entry);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(entry, damage switch
        {
            "empty" => [],
            "truncated" => bytes[..(bytes.Length / 2)],
            "flipped" => bytes,
            _ => "not an assembly"u8.ToArray(),
        });

        ResolvedModel again = ModelRegistry.Resolve(Tales(layers: 5), cache.Path);
        ResolvedModel afterwards = ModelRegistry.Resolve(Tales(layers: 5), cache.Path);

        Assert.Equal((ModelSource.CompiledNow, ModelSource.Cache), (again.Source, afterwards.Source));
    }

    [Fact]
    public void Resolve_CacheCannotBeWritten_CompilesAllTheSame()
    {
        using var folder = new TemporaryFolder();
        string notAFolder = Path.Combine(folder.Path, "file");
        File.WriteAllText(notAFolder, "");

        ResolvedModel model = ModelRegistry.Resolve(Tales(layers: 7), notAFolder);

        Assert.Equal(ModelSource.CompiledNow, model.Source);
    }

    [Fact]
    public void Resolve_ConcurrentStarts_AllGetTheModel()
    {
        using var cache = new TemporaryFolder();

        ModelDefinition[] models = [.. Enumerable.Range(0, 4).AsParallel().Select(_ => ModelRegistry.Resolve(Tales(layers: 8), cache.Path).Definition)];

        Assert.All(models, model => Assert.Equal(8, model.Shape.LayerCount));
        Assert.Single(Directory.EnumerateFileSystemEntries(cache.Path));
    }

    [Fact]
    public void Resolve_HostileModelName_CompilesAndIsText()
    {
        using var cache = new TemporaryFolder();

        ResolvedModel model = ModelRegistry.Resolve(Tales(layers: 1, name: "a\"; } evil() { \\ 名 <b>&\n*/"), cache.Path);

        Assert.Equal(1, model.Definition.Shape.LayerCount);
    }

    [Fact]
    public void Resolve_MixtureWithUnequalLayers_CompilesAndVerifies()
    {
        using var cache = new TemporaryFolder();
        const string config = """
            {"model_type":"ernie4_5_moe","hidden_size":64,"num_hidden_layers":5,"num_attention_heads":4,"num_key_value_heads":2,"intermediate_size":96,
             "vocab_size":128,"max_position_embeddings":64,"moe_num_experts":4,"moe_k":2,"moe_intermediate_size":[32,32],"moe_layer_start_index":[1],
             "moe_layer_interval":2,"moe_num_shared_experts":1,"eos_token_id":[2,5]}
            """;

        ModelGraph graph = ModelRegistry.Resolve(new ConfigFile("small", "config.json", config), cache.Path).Definition.BuildGraph();

        Assert.Equal(2, graph.Nodes.OfType<ExpertsNode>().Count());
        Assert.Equal([2, 5], graph.Shape.EndTokenIds);
        Assert.Equal(16, graph.Shape.HeadDim);
    }

    [Fact]
    public void Resolve_BadConfig_SaysWhereInTheFile()
    {
        using var cache = new TemporaryFolder();
        string config = CompiledInModelTests.ReadTales().Replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 3", StringComparison.Ordinal);

        var exception = Assert.Throws<ModelConfigException>(() => ModelRegistry.Resolve(new ConfigFile("tales", "dir/config.json", config), cache.Path));

        Assert.Equal(
            "dir/config.json(15,26): error ERN1004: 'num_attention_heads' is 3 and must be a multiple of 'num_key_value_heads', which is 2.", exception.Message);
    }
}
