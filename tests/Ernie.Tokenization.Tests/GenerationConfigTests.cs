using Ernie.Hosting;

namespace Ernie.Tokenization.Tests;

public sealed class GenerationConfigTests
{
    private static readonly BpeTokenizer s_tales = TokenizerLoader.Load(SharedFiles.TalesDirectory);

    [Fact]
    public void Load_TalesDirectory_GivesItsSamplingAndBothEndTokens()
    {
        GenerationDefaults defaults = GenerationConfig.Load(SharedFiles.TalesDirectory, s_tales);

        Assert.Equal((0.8f, 0.8f, 1f), (defaults.Temperature, defaults.TopP, defaults.RepetitionPenalty));
        Assert.Equal([2, 4], defaults.EndTokens);
        Assert.Equal((0, 0f), (defaults.TopK, defaults.MinP));
    }

    [Fact]
    public void Load_OnlyConfig_TakesItsEndTokenAndTheSeparator()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("config.json", """{ "eos_token_id": 7 }""");

        Assert.Equal([4, 7], GenerationConfig.Load(directory.FullName, s_tales).EndTokens);
    }

    [Fact]
    public void Load_NoFiles_EndsAtTheTokenizersEndTokenAndTheSeparator()
    {
        using var directory = new TemporaryDirectory();

        Assert.Equal([2, 4], GenerationConfig.Load(directory.FullName, s_tales).EndTokens);
    }

    [Fact]
    public void Load_NoSampling_IsGreedy()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("generation_config.json", """{ "do_sample": false, "temperature": 0.8, "top_k": 20, "min_p": 0.07 }""");

        GenerationDefaults defaults = GenerationConfig.Load(directory.FullName, s_tales);

        Assert.Equal((0f, 20, 0.07f, 1f), (defaults.Temperature, defaults.TopK, defaults.MinP, defaults.TopP));
    }

    [Fact]
    public void Load_TopPOfZero_IsTakenAndGreedy()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("generation_config.json", """{ "top_p": 0, "temperature": 0.8 }""");

        GenerationDefaults defaults = GenerationConfig.Load(directory.FullName, s_tales);

        Assert.True(new Sampling.SamplingOptions { Temperature = defaults.Temperature, TopP = defaults.TopP }.IsGreedy);
    }

    [Theory]
    [InlineData("""{ "temperature": "hot" }""", "temperature")]
    [InlineData("""{ "top_p": 1.5 }""", "top_p")]
    [InlineData("""{ "top_p": -0.1 }""", "top_p")]
    [InlineData("""{ "min_p": -0.1 }""", "min_p")]
    [InlineData("""{ "repetition_penalty": 0 }""", "repetition_penalty")]
    [InlineData("""{ "eos_token_id": -1 }""", "eos_token_id")]
    [InlineData("""{ "eos_token_id": """, "line 1, byte 19")]
    [InlineData("[]", "root")]
    public void Load_BadValue_NamesFileAndField(string json, string field)
    {
        using var directory = new TemporaryDirectory();
        directory.Write("generation_config.json", json);

        var error = Assert.Throws<TokenizerFormatException>(() => GenerationConfig.Load(directory.FullName, s_tales));

        Assert.Equal(field, error.Field);
        Assert.EndsWith("generation_config.json", error.Path, StringComparison.Ordinal);
    }
}
