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
                Wrap(text, string.Join(", ", group.Select(o => "--" + o.Name)), 2, 2, width);
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
                Wrap(text, option.Help + choices + standard, Indent - left.Length, Indent, width);
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string Placeholder(OptionDefinition option) => option.Kind switch
    {
        OptionKind.Boolean => "",
        OptionKind.WholeNumber => " N",
        OptionKind.Number => " X",
        OptionKind.Json => " JSON",
        _ => " TEXT",
    };

    private static string Heading(OptionGroup group) => group switch
    {
        OptionGroup.Compatibility => "Accepted for FastDeploy's sake, without effect (each warns and says why):",
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
