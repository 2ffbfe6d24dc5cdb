using System.Runtime.CompilerServices;
using Ernie.Hosting.Options;

namespace Ernie.Hosting.Tests.Options;

public class ConfigurationDocumentTests
{
    [Fact]
    public void Document_EveryOption_HasALineWithItsDefault()
    {
        string[] lines = File.ReadAllLines(DocumentPath());

        foreach (OptionDefinition option in OptionTable.All)
        {
            string? line = lines.FirstOrDefault(line => line.StartsWith($"| `--{option.Name}` |", StringComparison.Ordinal));
            Assert.True(line is not null, $"docs/configuration.md has no line for --{option.Name}.");
            Assert.True(
                option.Default is null || option.IgnoredBecause is not null || line.Contains($"| `{option.Default}` |", StringComparison.Ordinal),
                $"docs/configuration.md does not give --{option.Name} its default, {option.Default}.");
        }
    }

    [Fact]
    public void Document_EveryLine_NamesAnOption()
    {
        HashSet<string> names = [.. OptionTable.All.Select(option => option.Name)];

        IEnumerable<string> documented = File.ReadAllLines(DocumentPath())
            .Where(line => line.StartsWith("| `--", StringComparison.Ordinal))
            .Select(line => line[5..line.IndexOf('`', 5)]);

        Assert.All(documented, name => Assert.Contains(name, names));
    }

    private static string DocumentPath([CallerFilePath] string thisFile = "") =>
        Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "..", "docs", "configuration.md"); // A compiled file has a folder.
}
