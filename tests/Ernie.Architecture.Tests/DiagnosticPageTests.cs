using System.Text.RegularExpressions;
using Ernie.Testing;

namespace Ernie.Architecture.Tests;

/// <summary>Every diagnostic id has a page, and every page an id.</summary>
public sealed partial class DiagnosticPageTests
{
    private static string Pages => Path.Combine(SharedFixtures.RepositoryRoot, "docs", "diagnostics");

    [Fact]
    public void Pages_EveryIdInTheCode_HasOne()
    {
        SortedSet<string> used = new(IdsInCode(), StringComparer.Ordinal);
        SortedSet<string> documented = new(Directory.EnumerateFiles(Pages, "ERN*.md").Select(path => Path.GetFileNameWithoutExtension(path)), StringComparer.Ordinal);

        Assert.Empty(used.Except(documented));
        Assert.Empty(documented.Except(used));
    }

    [Fact]
    public void Pages_EveryPage_NamesItsIdCauseExampleAndFix()
    {
        foreach (string path in Directory.EnumerateFiles(Pages, "ERN*.md"))
        {
            string text = File.ReadAllText(path);
            Assert.StartsWith($"# {Path.GetFileNameWithoutExtension(path)}: ", text, StringComparison.Ordinal);
            Assert.All(["## Cause", "## Example", "## Fix"], (string section) => Assert.Contains(section, text, StringComparison.Ordinal));
        }
    }

    private static IEnumerable<string> IdsInCode() => ProductAssembly.Files("*.cs")
        .SelectMany(path => DiagnosticId().Matches(File.ReadAllText(path)).Select(match => match.Value))
        .Distinct();

    [GeneratedRegex(@"\bERN[1-5][0-9]{3}\b")]
    private static partial Regex DiagnosticId();
}
