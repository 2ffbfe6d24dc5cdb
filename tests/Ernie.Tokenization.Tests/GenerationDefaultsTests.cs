namespace Ernie.Tokenization.Tests;

public sealed class GenerationDefaultsTests
{
    private static readonly BpeTokenizer s_tales = TokenizerLoader.Load(SharedFiles.TalesDirectory);

    [Fact]
    public void Load_TalesDirectory_GivesItsSamplingAndBothEndTokens()
    {
        GenerationDefaults defaults = GenerationDefaults.Load(SharedFiles.TalesDirectory, s_tales);

        Assert.Equal((0.8f, 0.8f, 1f), (defaults.Temperature, defaults.TopP, defaults.RepetitionPenalty));
        Assert.Equal([2, 4], defaults.EndTokens);
        Assert.Null(defaults.TopK);
    }

    [Fact]
    public void Load_OnlyConfig_TakesItsEndTokenAndTheSeparator()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("config.json", """{ "eos_token_id": 7 }""");

        Assert.Equal([4, 7], GenerationDefaults.Load(directory.FullName, s_tales).EndTokens);
    }

    [Fact]
    public void Load_NoFiles_EndsAtTheTokenizersEndTokenAndTheSeparator()
    {
        using var directory = new TemporaryDirectory();

        Assert.Equal([2, 4], GenerationDefaults.Load(directory.FullName, s_tales).EndTokens);
    }

    [Fact]
    public void Load_NoSampling_IsGreedy()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("generation_config.json", """{ "do_sample": false, "temperature": 0.8, "top_k": 20 }""");

        GenerationDefaults defaults = GenerationDefaults.Load(directory.FullName, s_tales);

        Assert.Equal((0f, 20), (defaults.Temperature, defaults.TopK));
    }

    [Theory]
    [InlineData("""{ "temperature": "hot" }""", "temperature")]
    [InlineData("""{ "top_p": 1.5 }""", "top_p")]
    [InlineData("""{ "repetition_penalty": 0 }""", "repetition_penalty")]
    [InlineData("""{ "eos_token_id": -1 }""", "eos_token_id")]
    [InlineData("""{ "eos_token_id": """, "line 1")]
    [InlineData("[]", "root")]
    public void Load_BadValue_NamesFileAndField(string json, string field)
    {
        using var directory = new TemporaryDirectory();
        directory.Write("generation_config.json", json);

        var error = Assert.Throws<TokenizerFormatException>(() => GenerationDefaults.Load(directory.FullName, s_tales));

        Assert.Equal(field, error.Field);
        Assert.EndsWith("generation_config.json", error.Path, StringComparison.Ordinal);
    }
}
