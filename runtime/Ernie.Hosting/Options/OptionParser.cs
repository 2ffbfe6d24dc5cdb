using System.Collections;
using Ernie.Hosting.Options.Parsing;

namespace Ernie.Hosting.Options;

/// <summary>
/// Reads options from the command line, the environment and a configuration file (<c>--config</c>), in this order of precedence.
/// Nothing is dropped in silence: what is not understood ends the reading with what it was and what would have worked.
/// </summary>
/// <remarks>
/// <c>--flag value</c>, <c>--flag=value</c>, <c>--switch</c>, <c>--no-switch</c>; underscores count as dashes.
/// </remarks>
public sealed class OptionParser
{
    private static readonly OptionDefinition s_config =
        new("config", OptionGroup.Command, OptionKind.Text, "YAML or JSON file with the same keys as the flags.");

    private readonly OptionSpellings _spellings;
    private readonly IReadOnlyList<OptionDefinition> _elsewhere;

    /// <summary>Makes a parser.</summary>
    /// <param name="table">The options; names and aliases are unique.</param>
    /// <param name="elsewhere">Options of other commands, whose variables may be set without being meant for this one.</param>
    /// <exception cref="ArgumentException">A name or an alias occurs twice.</exception>
    public OptionParser(IReadOnlyList<OptionDefinition> table, IReadOnlyList<OptionDefinition>? elsewhere = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        Table = [s_config, .. table];
        _spellings = new OptionSpellings(Table);
        _elsewhere = elsewhere ?? [];
    }

    /// <summary>The options this parser knows.</summary>
    public IReadOnlyList<OptionDefinition> Table { get; }

    /// <summary>Whether words that are no options are taken; elsewhere they are an error, unless they come after <c>--</c>.</summary>
    public bool TakesWords { get; init; }

    /// <summary>Parses.</summary>
    /// <param name="args">Arguments of the program.</param>
    /// <param name="readVariable">Reads an environment variable; null reads the process's.</param>
    /// <param name="variableNames">Names of the variables that are set; null are the process's, or none where <paramref name="readVariable"/> is given.</param>
    /// <exception cref="OptionException">Something that is not understood, a missing or malformed value, or an unreadable file.</exception>
    public OptionSet Parse(IReadOnlyList<string> args, Func<string, string?>? readVariable = null, IEnumerable<string>? variableNames = null)
    {
        ArgumentNullException.ThrowIfNull(args);
        var values = new ValueStore();
        if (args.TakeWhile(a => a != "--").Any(a => a is "--help" or "-h" or "-?"))
        {
            return new OptionSet(values.Values) { HelpRequested = true, Remaining = [.. args.TakeWhile(a => !a.StartsWith('-'))] };
        }

        variableNames ??= readVariable is null ? Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => (string)entry.Key) : [];
        readVariable ??= Environment.GetEnvironmentVariable;
        IReadOnlyList<string> words = new CommandLineReader(_spellings, TakesWords, values).Read(args);
        EnvironmentReader.Read(Table, readVariable, values);
        EnvironmentReader.RefuseUnknown([.. Table, .. _elsewhere], variableNames, readVariable);
        if (values.Values.TryGetValue(s_config.Name, out OptionValue? config))
        {
            OptionFileReader.Read(config.Texts[^1], _spellings, values);
        }

        return new OptionSet(values.Values) { Remaining = words, Warnings = CollectWarnings(values.Values) };
    }

    private List<string> CollectWarnings(Dictionary<string, OptionValue> values)
    {
        var warnings = new List<string>();
        foreach (OptionDefinition definition in Table.Where(definition => definition.HasNoEffect))
        {
            if (!values.TryGetValue(definition.Name, out OptionValue? value) || (value.Texts.Count > 0 && value.Texts.All(IsNothing)))
            {
                continue;
            }

            if (definition.RefusedBecause is { } refusal)
            {
                throw new OptionException($"--{definition.Name} is not supported: {refusal}.");
            }

            warnings.Add($"--{definition.Name} has no effect: {definition.IgnoredBecause}.");

            bool IsNothing(string text) => definition.AskNothing.Contains(text, StringComparer.OrdinalIgnoreCase);
        }

        return warnings;
    }
}
