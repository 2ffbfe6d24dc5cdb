namespace Ernie.Hosting.Options.Parsing;

/// <summary>Finds options by what users write: names, other names, short forms, and the no- forms of switches.</summary>
internal sealed class OptionSpellings
{
    private readonly Dictionary<string, OptionDefinition> _bySpelling = new(StringComparer.Ordinal);

    /// <summary>Takes a table.</summary>
    /// <param name="table">The options; names and aliases are unique. An alias that begins with a dash is a short form, such as -tp.</param>
    /// <exception cref="ArgumentException">A name or an alias occurs twice.</exception>
    public OptionSpellings(IReadOnlyList<OptionDefinition> table)
    {
        foreach (OptionDefinition definition in table)
        {
            foreach (string spelling in definition.Aliases.Prepend(definition.Name))
            {
                _bySpelling.Add(spelling, definition);
            }
        }
    }

    /// <summary>The option of a short form, such as -tp; null when there is none.</summary>
    public OptionDefinition? FindShort(string written) => _bySpelling.GetValueOrDefault(written);

    /// <summary>The option of a name; underscores count as dashes.</summary>
    /// <param name="written">The name, without dashes in front.</param>
    /// <param name="quote">How a message writes a name: with dashes on the command line, without in a file.</param>
    /// <param name="negated">Whether it was the no- form of a switch.</param>
    /// <exception cref="OptionException">There is no such option; the message names the nearest one.</exception>
    public OptionDefinition Find(string written, Func<string, string> quote, out bool negated)
    {
        string spelling = written.Replace('_', '-');
        negated = false;
        if (_bySpelling.TryGetValue(spelling, out OptionDefinition? definition))
        {
            return definition;
        }

        if (spelling.StartsWith("no-", StringComparison.Ordinal) && _bySpelling.TryGetValue(spelling[3..], out definition))
        {
            negated = definition.Kind == OptionKind.Boolean;
            return negated ? definition : throw new OptionException(
                $"There is no option {quote(Excerpt.Of(written))}: {quote(definition.Name)} is no switch. Leave it away{(definition.Default is { } standard ? $" for its default, {standard}" : "")}.");
        }

        string? nearest = NearestName.Find(spelling, _bySpelling.Keys.Where(name => name[0] != '-'));
        throw new OptionException(
            $"There is no option {quote(Excerpt.Of(written))}. {(nearest is null ? "--help lists the options." : $"Did you mean {quote(nearest)}?")}");
    }
}
