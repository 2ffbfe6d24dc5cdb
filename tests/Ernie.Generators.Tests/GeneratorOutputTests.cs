using Ernie.Testing;
using Microsoft.CodeAnalysis;

namespace Ernie.Generators.Tests;

public sealed class GeneratorOutputTests
{
    [Fact]
    public void Generator_RepositoryModels_EmitExactlyTheVerifiedSources()
    {
        GeneratorRunResult result = Driver.Run(Configs.RepositoryModels.Select(Configs.OfRepository));

        Assert.Empty(result.Diagnostics);
        Snapshot.MatchSet(result.GeneratedSources.Select(source => (source.HintName, source.SourceText.ToString())));
    }

    [Fact]
    public void Generator_UnmarkedFile_IsNotRead()
    {
        GeneratorRunResult result = Driver.Run(new TestConfig("unmarked/config.json", "not JSON"));

        Assert.Empty(result.Diagnostics);
        Assert.Equal(["CompiledModels.g.cs"], result.GeneratedSources.Select(source => source.HintName));
    }

    [Fact]
    public void Generator_BadConfig_ReportsAtLineAndColumnAndEmitsTheOthers()
    {
        string bad = Configs.Dense.Replace("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3", StringComparison.Ordinal);

        GeneratorRunResult result = Driver.Run(new TestConfig("models/bad/config.json", bad), new TestConfig("models/good/config.json", Configs.Dense));

        Diagnostic diagnostic = Assert.Single(result.Diagnostics);
        FileLinePositionSpan place = diagnostic.Location.GetLineSpan();
        Assert.Equal("ERN1004", diagnostic.Id);
        Assert.Equal(DiagnosticSeverity.Error, diagnostic.Severity);
        Assert.Equal(("models/bad/config.json", 10, 25), (place.Path, place.StartLinePosition.Line, place.StartLinePosition.Character));
        Assert.Equal("'num_attention_heads' is 16 and must be a multiple of 'num_key_value_heads', which is 3.", diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(["Good.g.cs", "CompiledModels.g.cs"], result.GeneratedSources.Select(source => source.HintName));
    }

    [Fact]
    public void Generator_TwoFoldersOneClass_ReportsAndEmitsNeither()
    {
        GeneratorRunResult result = Driver.Run(new TestConfig("a/my-model/config.json", Configs.Dense), new TestConfig("b/my_model/config.json", Configs.Dense));

        Assert.Equal("ERN1015", Assert.Single(result.Diagnostics).Id);
        Assert.Equal(["CompiledModels.g.cs"], result.GeneratedSources.Select(source => source.HintName));
    }

    [Theory]
    [InlineData("ernie-4.5-0.3b", "Ernie45_0_3B")]
    [InlineData("ernie-4.5-21b-a3b", "Ernie45_21B_A3B")]
    [InlineData("tales", "Tales")]
    [InlineData("my model_x", "My_Model_X")]
    [InlineData("4.5", "Model4_5")]
    [InlineData("", "Model")]
    [InlineData("a\"b\n", "A_b_")]
    public void ClassNames_ModelName_GivesAnIdentifier(string modelName, string expected) => Assert.Equal(expected, ClassNames.For(modelName));

    [Theory]
    [InlineData("/a/b/config.json", "b")]
    [InlineData("C:\\models\\x\\config.json", "x")]
    [InlineData("config.json", "model")]
    public void ConfigFile_Path_NamesTheModelByItsFolder(string path, string expected) => Assert.Equal(expected, ConfigFile.NameOf(path));
}
