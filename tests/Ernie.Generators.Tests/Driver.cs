using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Ernie.Generators.Tests;

/// <summary>Runs the generator as the compiler does, with its steps tracked.</summary>
internal static class Driver
{
    public static CSharpCompilation Compilation { get; } = CSharpCompilation.Create("Empty");

    public static GeneratorDriver Create(params IEnumerable<AdditionalText> files) => CSharpGeneratorDriver.Create(
        [new ModelGenerator().AsSourceGenerator()],
        files,
        new CSharpParseOptions(LanguageVersion.Latest),
        new MarkerOptions(),
        new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    public static GeneratorRunResult Run(params IEnumerable<AdditionalText> files) => ResultOf(Create(files).RunGenerators(Compilation));

    public static GeneratorRunResult ResultOf(GeneratorDriver driver) => driver.GetRunResult().Results.Single();

    /// <summary>Why each output of a step is as it is, in order.</summary>
    public static IReadOnlyList<IncrementalStepRunReason> Reasons(GeneratorRunResult result, string step) =>
        [.. result.TrackedSteps[step].SelectMany(run => run.Outputs).Select(output => output.Reason)];
}
