using System.Text;
using Ernie.Hosting.Options;
using Ernie.Testing;

namespace Ernie.Hosting.Tests.Options;

/// <summary>The tables of docs/configuration.md are written by the option table: UPDATE_SNAPSHOTS=1 writes them anew.</summary>
public class ConfigurationDocumentTests
{
    private const string Begin = "<!-- Written by the option table; ConfigurationDocumentTests with UPDATE_SNAPSHOTS=1 writes it anew. -->\n";
    private const string End = "<!-- End of what the option table wrote. -->\n";

    [Fact]
    public void Document_Tables_AreTheOptionTables() =>
        DocumentPart.Match("docs/configuration.md", Begin, End, Tables());

    private static string Tables()
    {
        var text = new StringBuilder();
        foreach (IGrouping<OptionGroup, OptionDefinition> group in OptionTable.All.GroupBy(option => option.Group).OrderBy(group => group.Key))
        {
            if (group.Key == OptionGroup.Compatibility)
            {
                text.Append("\n## Flags of FastDeploy and vLLM without effect\n\n")
                    .Append("Accepted, so that a launch line of FastDeploy or vLLM works as it is; each prints one warning that says why it does nothing here.\n\n");
                Foreign(text, group.Where(option => option.IgnoredBecause is not null), option => option.IgnoredBecause);
                text.Append("\n## Flags of FastDeploy and vLLM that are refused\n\n")
                    .Append("Without what they ask for, users would get something else; the start ends with the reason and what would work.\n\n");
                Foreign(text, group.Where(option => option.RefusedBecause is not null), option => option.RefusedBecause);
                continue;
            }

            text.Append($"\n## {group.Key}\n\n| option | default | what |\n|---|---|---|\n");
            foreach (OptionDefinition option in group)
                text.Append($"| `--{option.Name}` | {(option.Default is { } standard ? $"`{standard}`" : "")} | {What(option)} |\n");
        }

        return text.Append('\n').ToString();
    }

    private static void Foreign(StringBuilder text, IEnumerable<OptionDefinition> options, Func<OptionDefinition, string?> reason)
    {
        text.Append("| flag | why | taken without a word |\n|---|---|---|\n");
        foreach (OptionDefinition option in options)
            text.Append($"| {Code(option.Aliases.Prepend("--" + option.Name))} | {reason(option)} | {Code(option.AskNothing.Select(value => value.Length == 0 ? "\"\"" : value))} |\n");
    }

    private static string What(OptionDefinition option)
    {
        string what = option.Help.Replace("|", "\\|", StringComparison.Ordinal);
        if (option.Choices.Count > 0)
            what += $" One of {Code(option.Choices)}.";
        if (option.Aliases.Count > 0)
            what += $" Also {Code(option.Aliases.Select(alias => alias[0] == '-' ? alias : "--" + alias))}.";
        if (option.EnvironmentVariables.Count > 0)
            what += $" Also {Code(option.EnvironmentVariables)} in the environment.";
        return what;
    }

    private static string Code(IEnumerable<string> words) => string.Join(", ", words.Select(word => $"`{word}`"));
}
