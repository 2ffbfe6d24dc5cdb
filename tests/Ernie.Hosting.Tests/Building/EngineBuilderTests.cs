using System.Text.Json;
using Ernie.Generation;
using Ernie.Hosting.Models;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Sampling;

namespace Ernie.Hosting.Tests.Building;

public sealed class EngineBuilderTests
{
    private static OptionSet Small => Shrink(OptionSet.Defaults);

    private static OptionSet Shrink(OptionSet options) =>
        options.With(DeviceRows.Device, "cpu").With(CapacityRows.MaxSequences, 4).With(CapacityRows.PageCount, 64);

    private static async Task<List<int>> Generate(IEngine engine, int[] prompt, int count)
    {
        var tokens = new List<int>();
        await foreach (GenerationEvent e in engine.GenerateAsync(new GenerationRequest { PromptTokens = prompt, MaxTokens = count, Sampling = SamplingOptions.Greedy }))
        {
            Assert.Null(e.Error);
            tokens.Add(e.Token);
        }

        return tokens;
    }

    [Fact]
    public async Task Build_Defaults_ServesTheEmbeddedModelAsTheReferenceDoes()
    {
        string? fixtures = FindFixtures();
        Assert.SkipWhen(fixtures is null, "the reference's fixtures are not here");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(fixtures!)); // Skipped above when null.
        await using EngineSession session = await new EngineBuilder(Small).BuildAsync();

        Assert.Equal("tales", session.Engine.Info.ModelName);
        Assert.NotNull(session.ChatTemplate);
        Assert.Equal([2, 4], session.Defaults.EndTokens);
        Assert.Equal((0.8f, 0.8f), (session.Defaults.Temperature, session.Defaults.TopP));
        JsonElement prompts = document.RootElement.GetProperty("prompts");
        foreach (JsonElement prompt in prompts.ValueKind == JsonValueKind.Array ? prompts.EnumerateArray() : prompts.EnumerateObject().Select(p => p.Value))
        {
            int[] ids = [.. prompt.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32())];
            int[] greedy = [.. prompt.GetProperty("greedy").EnumerateArray().Select(i => i.GetInt32())];
            double[] margins = [.. prompt.GetProperty("greedy_margin").EnumerateArray().Select(i => i.GetDouble())];
            List<int> tokens = await Generate(session.Engine, ids, greedy.Length);
            int different = Enumerable.Range(0, greedy.Length).FirstOrDefault(i => tokens[i] != greedy[i], -1);

            // Keys and values in bf16 move logits by a few hundredths; only closer choices may differ.
            Assert.True(different < 0 || margins[different] < 0.05, $"token {different} differs at margin {(different < 0 ? 0 : margins[different])}");
        }
    }

    [Theory]
    [InlineData("wint8")]
    [InlineData("wint4")]
    [InlineData("block_wise_fp8")]
    public async Task Build_Quantised_Generates(string quantization)
    {
        OptionSet options = new OptionParser(OptionTable.All).Parse(["--quantization", quantization], _ => null);
        await using EngineSession session = await new EngineBuilder(Shrink(options)).BuildAsync();

        Assert.Equal(5, (await Generate(session.Engine, [3, 100, 200], 5)).Count);
    }

    [Theory]
    [InlineData("fp8")]
    [InlineData("int8")]
    public async Task Build_EightBitCacheOnTheCpu_Generates(string type)
    {
        OptionSet options = new OptionParser(OptionTable.All).Parse(["--kv-cache-dtype", type], _ => null);
        await using EngineSession session = await new EngineBuilder(Shrink(options)).BuildAsync();

        Assert.Equal(5, (await Generate(session.Engine, [3, 100, 200], 5)).Count);
    }

    [Fact]
    public async Task Build_DummyWeights_NeedsNoFilesButTheConfig()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("ernie-model-");
        foreach (string name in (string[])["config.json", "tokenizer.model", "tokenizer_config.json"])
        {
            File.Copy(Path.Combine(ModelFiles.EmbeddedDirectory, name), Path.Combine(directory.FullName, name));
        }

        File.WriteAllText(Path.Combine(directory.FullName, "generation_config.json"), """{ "min_p": 0.07, "top_k": 30 }""");
        await using (EngineSession session = await new EngineBuilder(
            Small.With(ModelRows.Model, directory.FullName).With(ModelRows.LoadFormat, LoadFormat.Dummy).With(ModelRows.ServedModelNames, ["mine"])).BuildAsync())
        {
            Assert.Equal("mine", session.Engine.Info.ModelName);
            Assert.Equal((0.07f, 30, 1f), (session.Defaults.MinP, session.Defaults.TopK, session.Defaults.Temperature));
            Assert.NotEmpty(await Generate(session.Engine, [1, 2], 3));
            Assert.Contains(session.Phases, phase => phase.Name.StartsWith("load weights", StringComparison.Ordinal));
        }

        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Build_Sessions_LiveSideBySide()
    {
        await using EngineSession first = await new EngineBuilder(Small).BuildAsync();
        await using EngineSession second = await new EngineBuilder(Small).BuildAsync();

        Assert.Equal(await Generate(first.Engine, [3, 5, 7], 8), await Generate(second.Engine, [3, 5, 7], 8));
    }

    public static TheoryData<string, Func<OptionSet, OptionSet>> Impossible => new()
    {
        { "sampler", options => options.With(SamplingRows.Sampler, "nobody") },
        { "cache-policy", options => options.With(PluginRows.CachePolicy, "nobody") },
        { "max-model-len", options => options.With(CapacityRows.MaxModelLength, 9000) },
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public async Task Build_ImpossibleOptions_NameTheFlag(string flag, Func<OptionSet, OptionSet> change)
    {
        OptionException e = await Assert.ThrowsAsync<OptionException>(() => new EngineBuilder(change(Small)).BuildAsync());

        Assert.Contains("--" + flag, e.Message, StringComparison.Ordinal);
    }

    private static string? FindFixtures()
    {
        for (string? directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            string path = Path.Combine(directory, "tests", "fixtures", "tales.json");
            if (File.Exists(path))
            {
                return path;
            }
        }

        return null;
    }
}
