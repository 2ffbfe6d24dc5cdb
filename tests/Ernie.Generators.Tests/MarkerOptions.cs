using System.Diagnostics.CodeAnalysis;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Ernie.Generators.Tests;

/// <summary>Marks every additional file but those under "unmarked/" as a model.</summary>
internal sealed class MarkerOptions : AnalyzerConfigOptionsProvider
{
    private static readonly Options s_marked = new(isMarked: true), s_unmarked = new(isMarked: false);

    public override AnalyzerConfigOptions GlobalOptions => s_unmarked;

    public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => s_unmarked;

    public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) =>
        textFile.Path.StartsWith("unmarked/", StringComparison.Ordinal) ? s_unmarked : s_marked;

    private sealed class Options(bool isMarked) : AnalyzerConfigOptions
    {
        public override bool TryGetValue(string key, [NotNullWhen(true)] out string? value)
        {
            value = isMarked && key == "build_metadata.AdditionalFiles.ErnieModel" ? "true" : null;
            return value is not null;
        }
    }
}
