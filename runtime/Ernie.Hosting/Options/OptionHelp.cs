using System.Text;

namespace Ernie.Hosting.Options;

/// <summary>Writes the options as <c>--help</c> shows them: grouped, wrapped, with defaults.</summary>
public static class OptionHelp
{
    private const int Indent = 32;

    /// <summary>Formats a table.</summary>
    /// <param name="table">The options.</param>
    /// <param name="width">Columns of the terminal; at least 60 are used.</param>
    public static string Format(IReadOnlyList<OptionDefinition> table, int width = 100)
    {
        ArgumentNullException.ThrowIfNull(table);
        width = Math.Max(width, 60);
        var text = new StringBuilder();
        foreach (IGrouping<OptionGroup, OptionDefinition> group in table.GroupBy(o => o.Group).OrderBy(g => g.Key))
        {
            text.Append(Heading(group.Key)).Append('\n');
            if (group.Key == OptionGroup.Compatibility)
            {
                Wrap(text, Names(group.Where(option => option.RefusedBecause is null)), 2, 2, width);
                text.Append("\nRefused, each with what would work:\n");
                Wrap(text, Names(group.Where(option => option.RefusedBecause is not null)), 2, 2, width);
                continue;
            }

            foreach (OptionDefinition option in group)
            {
                string left = $"  --{option.Name}{Placeholder(option)}";
                text.Append(left);
                if (left.Length >= Indent)
                {
                    text.Append('\n');
                    left = "";
                }

                string standard = option.Default is { } value ? $" [{value}]" : "";
                string choices = option.Choices.Count > 1 ? $" ({string.Join(", ", option.Choices)})" : "";
                string aliases = option.Aliases.Count > 0 ? $" Also {string.Join(", ", option.Aliases.Select(Spelling))}." : "";
                Wrap(text, option.Help + aliases + choices + standard, Indent - left.Length, Indent, width);
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string Names(IEnumerable<OptionDefinition> options) => string.Join(", ", options.Select(option => "--" + option.Name));

    private static string Spelling(string alias) => alias[0] == '-' ? alias : "--" + alias;

    private static string Placeholder(OptionDefinition option) => option.Kind switch
    {
        OptionKind.Boolean => "",
        OptionKind.WholeNumber => " N",
        OptionKind.Number => " X",
        OptionKind.Json => " JSON",
        OptionKind.TextList when option.TakesSeveral => " TEXT…",
        _ => " TEXT",
    };

    private static string Heading(OptionGroup group) => group switch
    {
        OptionGroup.Compatibility => "Accepted for FastDeploy's and vLLM's sake, without effect (each warns and says why):",
        _ => $"{group}:",
    };

    private static void Wrap(StringBuilder text, string words, int firstIndent, int indent, int width)
    {
        text.Append(' ', firstIndent);
        int column = indent;
        foreach (string word in words.Split(' '))
        {
            if (column > indent && column + word.Length + 1 > width)
            {
                text.Append('\n').Append(' ', indent);
                column = indent;
            }
            else if (column > indent)
            {
                text.Append(' ');
                column++;
            }

            text.Append(word);
            column += word.Length;
        }

        text.Append('\n');
    }
}
