using System.Collections.Immutable;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Ernie.Generators;

/// <summary>
/// Turns every additional file marked <c>ErnieModel="true"</c> into a class. Its inputs are additional files and their metadata alone, so that
/// editing C# never runs it.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class ModelGenerator : IIncrementalGenerator
{
    /// <summary>Names of the pipeline's steps, for tests of what is recomputed.</summary>
    public static class Steps
    {
        /// <summary>Text of the configs.</summary>
        public const string ReadConfig = nameof(ReadConfig);

        /// <summary>Specs or diagnostics.</summary>
        public const string ParseModel = nameof(ParseModel);

        /// <summary>What is emitted.</summary>
        public const string BuildGraph = nameof(BuildGraph);

        /// <summary>The classes' names.</summary>
        public const string ListModels = nameof(ListModels);
    }

    private const string MarkerOption = "build_metadata.AdditionalFiles.ErnieModel";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        IncrementalValuesProvider<ConfigFile> files = context.AdditionalTextsProvider
            .Combine(context.AnalyzerConfigOptionsProvider)
            .Where(pair => pair.Right.GetOptions(pair.Left).TryGetValue(MarkerOption, out string? marker) && marker == "true")
            .Select((pair, stopping) => new ConfigFile(ConfigFile.NameOf(pair.Left.Path), pair.Left.Path, pair.Left.GetText(stopping)?.ToString() ?? ""))
            .WithTrackingName(Steps.ReadConfig);

        IncrementalValuesProvider<ParsedModel> parsed = files
            .Select((file, _) => ConfigParser.Parse(file))
            .WithTrackingName(Steps.ParseModel);

        IncrementalValuesProvider<GraphSpec> graphs = parsed
            .Where(model => model.Spec is not null)
            .Select((model, _) => GraphSpecBuilder.Build(model.ModelName, model.Spec!)) // Null was filtered out one line above.
            .WithTrackingName(Steps.BuildGraph);

        IncrementalValueProvider<EquatableArray<string>> classNames = parsed
            .Select((model, _) => model.Spec is null ? "" : ClassNames.For(model.ModelName))
            .Collect()
            .Select((names, _) => new EquatableArray<string>(names.Where(name => name.Length > 0)))
            .WithTrackingName(Steps.ListModels);

        context.RegisterSourceOutput(parsed, Report);
        context.RegisterSourceOutput(parsed.Collect(), ReportDuplicates);
        context.RegisterSourceOutput(
            graphs.Combine(classNames),
            (output, pair) =>
            {
                // Two models of one class are reported, and emitting either would hide which is meant.
                if (pair.Right.Count(name => name == pair.Left.ClassName) == 1)
                {
                    output.AddSource(pair.Left.ClassName + ".g.cs", SourceText.From(ModelEmitter.Emit(pair.Left), Encoding.UTF8));
                }
            });
        context.RegisterSourceOutput(
            classNames,
            (output, names) => output.AddSource(
                "CompiledModels.g.cs",
                SourceText.From(RegistryEmitter.Emit(names.GroupBy(name => name).Where(group => group.Count() == 1).Select(group => group.Key)), Encoding.UTF8)));
    }

    private static void Report(SourceProductionContext context, ParsedModel model)
    {
        foreach (ConfigDiagnostic diagnostic in model.Diagnostics)
        {
            Report(context, diagnostic);
        }
    }

    private static void ReportDuplicates(SourceProductionContext context, ImmutableArray<ParsedModel> models)
    {
        foreach (IGrouping<string, ParsedModel> group in models.Where(model => model.Spec is not null).GroupBy(model => ClassNames.For(model.ModelName)))
        {
            foreach (ParsedModel duplicate in group.Skip(1))
            {
                string message = $"The class {group.Key} is made from {group.First().Path} already; rename one of the folders.";
                Report(context, new ConfigDiagnostic(ConfigDiagnosticIds.DuplicateModel, message, duplicate.Path, new JsonSpan(0, 0), 0, 0, 0, 0));
            }
        }
    }

    private static void Report(SourceProductionContext context, ConfigDiagnostic diagnostic)
    {
        var location = Location.Create(
            diagnostic.Path,
            new TextSpan(diagnostic.Span.Start, diagnostic.Span.Length),
            new LinePositionSpan(
                new LinePosition(diagnostic.StartLine, diagnostic.StartColumn), new LinePosition(diagnostic.EndLine, diagnostic.EndColumn)));
        context.ReportDiagnostic(Diagnostic.Create(ConfigDescriptors.Find(diagnostic.Id), location, diagnostic.Message));
    }
}
