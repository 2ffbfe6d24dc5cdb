using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using static Microsoft.CodeAnalysis.IncrementalStepRunReason;

namespace Ernie.Generators.Tests;

/// <summary>What is recomputed after an edit: the difference between an editor that types and one that stutters.</summary>
public sealed class GeneratorStepTests
{
    private static readonly TestConfig s_one = new("models/one/config.json", Configs.Dense), s_two = new("models/two/config.json", Configs.Mixture);
    private static readonly string[] s_steps =
    [
        ModelGenerator.Steps.ReadConfig, ModelGenerator.Steps.ParseModel, ModelGenerator.Steps.BuildGraph, ModelGenerator.Steps.ListModels,
    ];

    [Fact]
    public void Steps_FirstRun_AreNew()
    {
        GeneratorRunResult result = Driver.Run(s_one, s_two);

        Assert.All(s_steps, step => Assert.All(Driver.Reasons(result, step), reason => Assert.Equal(New, reason)));
    }

    [Fact]
    public void Steps_CSharpEdited_AreAllCached()
    {
        GeneratorDriver driver = Driver.Create(s_one, s_two).RunGenerators(Driver.Compilation);

        GeneratorRunResult result = Driver.ResultOf(driver.RunGenerators(Driver.Compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText("class C;"))));

        Assert.All(s_steps, step => Assert.All(Driver.Reasons(result, step), reason => Assert.Equal(Cached, reason)));
        Assert.All(result.TrackedOutputSteps.SelectMany(pair => pair.Value).SelectMany(run => run.Outputs), output => Assert.Equal(Cached, output.Reason));
    }

    [Fact]
    public void Steps_ConfigReindentedAndReordered_StopAtTheModel()
    {
        GeneratorDriver driver = Driver.Create(s_one, s_two).RunGenerators(Driver.Compilation);
        string reformatted = Configs.Dense.Replace("\n  ", "\n\t\t", StringComparison.Ordinal).Replace("500000.0", "5e5", StringComparison.Ordinal);

        GeneratorRunResult result = Driver.ResultOf(driver.ReplaceAdditionalText(s_one, new TestConfig(s_one.Path, reformatted)).RunGenerators(Driver.Compilation));

        Assert.Equal([Modified, Cached], Driver.Reasons(result, ModelGenerator.Steps.ReadConfig));
        Assert.Equal([Unchanged, Cached], Driver.Reasons(result, ModelGenerator.Steps.ParseModel));
        Assert.Equal([Cached, Cached], Driver.Reasons(result, ModelGenerator.Steps.BuildGraph));
        Assert.All(result.TrackedOutputSteps.SelectMany(pair => pair.Value).SelectMany(run => run.Outputs), output => Assert.Equal(Cached, output.Reason));
    }

    [Fact]
    public void Steps_NumberChanged_AreModifiedForThatModelAlone()
    {
        GeneratorDriver driver = Driver.Create(s_one, s_two).RunGenerators(Driver.Compilation);
        string changed = Configs.Dense.Replace("\"num_hidden_layers\": 18", "\"num_hidden_layers\": 19", StringComparison.Ordinal);

        GeneratorRunResult result = Driver.ResultOf(driver.ReplaceAdditionalText(s_one, new TestConfig(s_one.Path, changed)).RunGenerators(Driver.Compilation));

        Assert.Equal([Modified, Cached], Driver.Reasons(result, ModelGenerator.Steps.ParseModel));
        Assert.Equal([Modified, Cached], Driver.Reasons(result, ModelGenerator.Steps.BuildGraph));
        Assert.Equal([Cached], Driver.Reasons(result, ModelGenerator.Steps.ListModels));
        Assert.Contains("LayerCount = 19;", result.GeneratedSources.Single(source => source.HintName == "One.g.cs").SourceText.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_ModelRemoved_LeavesTheOtherCached()
    {
        GeneratorDriver driver = Driver.Create(s_one, s_two).RunGenerators(Driver.Compilation);

        GeneratorRunResult result = Driver.ResultOf(driver.RemoveAdditionalTexts([s_one]).RunGenerators(Driver.Compilation));

        Assert.Equal([Removed, Cached], Driver.Reasons(result, ModelGenerator.Steps.BuildGraph));
        Assert.Equal([Modified], Driver.Reasons(result, ModelGenerator.Steps.ListModels));
        Assert.Equal(["Two.g.cs", "CompiledModels.g.cs"], result.GeneratedSources.Select(source => source.HintName));
    }

    [Fact]
    public void Steps_EveryOutput_ReachesNoRoslynObject()
    {
        string bad = Configs.Dense.Replace("\"silu\"", "\"gelu\"", StringComparison.Ordinal);

        GeneratorRunResult result = Driver.Run(s_one, s_two, new TestConfig("models/bad/config.json", bad));

        foreach (string step in s_steps)
        {
            foreach (object value in result.TrackedSteps[step].SelectMany(run => run.Outputs).Select(output => output.Value))
            {
                ReachableObjects.AssertNoneOfRoslyn(value, step);
            }
        }
    }
}
