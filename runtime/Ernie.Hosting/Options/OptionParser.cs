using System.Globalization;
using System.Text.Json;

namespace Ernie.Hosting.Options;

/// <summary>
/// Reads options from the command line, the environment and a configuration file (<c>--config</c>), in this order of precedence.
/// </summary>
/// <remarks>
/// <c>--flag value</c>, <c>--flag=value</c>, <c>--switch</c>, <c>--no-switch</c>; underscores count as dashes.
/// An unknown flag is an error that names the nearest one.
/// </remarks>
public sealed class OptionParser
{
    private readonly IReadOnlyList<OptionDefinition> _table;
    private readonly Dictionary<string, OptionDefinition> _bySpelling = new(StringComparer.Ordinal);

    /// <summary>Makes a parser.</summary>
    /// <param name="table">The options; names and aliases are unique.</param>
    /// <exception cref="ArgumentException">A name or an alias occurs twice.</exception>
    public OptionParser(IReadOnlyList<OptionDefinition> table)
    {
        ArgumentNullException.ThrowIfNull(table);
        OptionDefinition config = new("config", OptionGroup.Command, OptionKind.Text, "YAML or JSON file with the same keys as the flags.");
        _table = [config, .. table];
        foreach (OptionDefinition definition in _table)
        {
            foreach (string spelling in definition.Aliases.Prepend(definition.Name))
            {
                _bySpelling.Add(spelling, definition);
            }
        }
    }

    /// <summary>The options this parser knows.</summary>
    public IReadOnlyList<OptionDefinition> Table => _table;

    /// <summary>Parses.</summary>
    /// <param name="args">Arguments of the program.</param>
    /// <param name="readVariable">Reads an environment variable; null reads the process's.</param>
    /// <exception cref="OptionException">An unknown flag, a missing or malformed value, or an unreadable file.</exception>
    public OptionSet Parse(IReadOnlyList<string> args, Func<string, string?>? readVariable = null)
    {
        ArgumentNullException.ThrowIfNull(args);
        readVariable ??= Environment.GetEnvironmentVariable;
        var values = new Dictionary<string, OptionValue>(StringComparer.Ordinal);
        var remaining = new List<string>();
        if (args.TakeWhile(a => a != "--").Any(a => a is "--help" or "-h" or "-?"))
        {
            return new OptionSet(values) { HelpRequested = true, Remaining = [.. args.TakeWhile(a => !a.StartsWith('-'))] };
        }

        ReadCommandLine(args, values, remaining);
        ReadEnvironment(readVariable, values);
        if (values.TryGetValue("config", out OptionValue? config))
        {
            ReadFile(config.Texts[^1], values);
        }

        return new OptionSet(values) { Remaining = remaining, Warnings = CollectWarnings(values) };
    }

    private void ReadCommandLine(
        IReadOnlyList<string> args, Dictionary<string, OptionValue> values, List<string> remaining)
    {
        for (int i = 0; i < args.Count; i++)
        {
            string argument = args[i];
            if (argument == "--")
            {
                remaining.AddRange(args.Skip(i + 1));
                return;
            }

            if (!argument.StartsWith("--", StringComparison.Ordinal))
            {
                if (argument.Length > 1 && argument[0] == '-' && !char.IsAsciiDigit(argument[1]))
                {
                    throw new OptionException($"Unknown option '{argument}'. Options are written --name; --help lists them.");
                }

                remaining.Add(argument);
                continue;
            }

            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string spelling = (equals < 0 ? argument[2..] : argument[2..equals]).Replace('_', '-');
            string? given = equals < 0 ? null : argument[(equals + 1)..];
            OptionDefinition definition = Find(spelling, "--", out bool negated);
            string value;
            if (negated)
            {
                value = given is null ? "false" : throw new OptionException($"--{spelling} takes no value.");
            }
            else if (definition.Kind == OptionKind.Boolean)
            {
                bool next = given is null && i + 1 < args.Count && IsBoolean(args[i + 1]);
                value = given ?? (next ? args[++i] : "true");
            }
            else
            {
                // A value may begin with a dash when it is a number: --max-waiting-time -1.
                bool next = i + 1 < args.Count && (!args[i + 1].StartsWith("--", StringComparison.Ordinal) || args[i + 1].Length == 2);
                value = given ?? (next ? args[++i] : throw new OptionException($"--{definition.Name} needs a value: {definition.Help}"));
            }

            Store(definition, [Check(definition, value, $"--{definition.Name}")], OptionSource.CommandLine, values);
        }
    }

    private void ReadEnvironment(
        Func<string, string?> readVariable, Dictionary<string, OptionValue> values)
    {
        foreach (OptionDefinition definition in _table)
        {
            foreach (string variable in definition.EnvironmentVariables.Prepend(definition.OwnEnvironmentVariable))
            {
                bool isOverruled = values.ContainsKey(definition.Name);
                if (readVariable(variable) is { } text && (text.Length > 0 || (definition.RefusesEmpty && !isOverruled)))
                {
                    Store(definition, Split(definition, text, variable), OptionSource.Environment, values);
                    break;
                }
            }
        }
    }

    private void ReadFile(string path, Dictionary<string, OptionValue> values)
    {
        foreach ((string key, IReadOnlyList<string> texts) in OptionFile.Read(path))
        {
            OptionDefinition definition = Find(key.Replace('_', '-'), $"{path}: ", out bool negated);
            if (definition.Name == "config")
            {
                throw new OptionException($"{path}: a configuration file cannot name another one.");
            }

            if (negated)
            {
                throw new OptionException($"{path}: write '{definition.Name}: false'.");
            }

            string where = $"{path}: {definition.Name}";
            if (texts.Count == 0)
            {
                // Nothing, or an empty list: as if the key were not there.
                _ = definition.RefusesEmpty ? Check(definition, "", where) : null;
                continue;
            }

            IReadOnlyList<string> parts = texts.Count == 1 ? Split(definition, texts[0], where) : [.. texts.Select(t => Check(definition, t, where))];
            Store(definition, parts, OptionSource.File, values);
        }
    }

    private static string[] Split(OptionDefinition definition, string text, string where) =>
        definition.Kind == OptionKind.TextList
            ? [.. text.Split(',', StringSplitOptions.TrimEntries | (definition.RefusesEmpty ? StringSplitOptions.None : StringSplitOptions.RemoveEmptyEntries)).Select(item => Check(definition, item, where))]
            : [Check(definition, text, where)];

    private static void Store(
        OptionDefinition definition, IReadOnlyList<string> texts, OptionSource source,
        Dictionary<string, OptionValue> values)
    {
        if (!values.TryGetValue(definition.Name, out OptionValue? existing))
        {
            values[definition.Name] = new OptionValue(texts, source);
        }
        else if (existing.Source == source)
        {
            values[definition.Name] = existing with { Texts = definition.Kind == OptionKind.TextList ? [.. existing.Texts, .. texts] : texts };
        }
    }

    private OptionDefinition Find(string spelling, string prefix, out bool negated)
    {
        negated = false;
        if (_bySpelling.TryGetValue(spelling, out OptionDefinition? definition))
        {
            return definition;
        }

        if (spelling.StartsWith("no-", StringComparison.Ordinal)
            && _bySpelling.TryGetValue(spelling[3..], out definition) && definition.Kind == OptionKind.Boolean)
        {
            negated = true;
            return definition;
        }

        string? nearest = NearestName.Find(spelling, _bySpelling.Keys);
        string hint = nearest is null ? "--help lists the options." : $"Did you mean {(prefix == "--" ? "--" : "")}{nearest}?";
        throw new OptionException($"Unknown option '{prefix}{spelling}'. {hint}");
    }

    // The value as its row reads it: a synonym's meaning, a choice in the table's letters.
    private static string Check(OptionDefinition definition, string value, string where)
    {
        if (definition.RefusesEmpty && string.IsNullOrWhiteSpace(value))
        {
            throw new OptionException($"{where} is empty, which would be as if it were not there. Give it a value, or leave it out.");
        }

        string? needed = definition.Kind switch
        {
            OptionKind.WholeNumber when !long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) => "must be a whole number",
            OptionKind.Number when !(double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)) => "must be a number",
            OptionKind.Boolean when !IsBoolean(value) => "must be true or false",
            OptionKind.Json when !IsJsonObject(value) => "must be a JSON object",
            _ when definition.Range is { } range && !range.Holds(double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture)) => $"must be {range}",
            _ => definition.FindFault?.Invoke(value),
        };
        if (needed is null && definition.Choices.Count > 0)
        {
            string meant = definition.Synonyms.GetValueOrDefault(value, value);
            if (definition.Choices.FirstOrDefault(choice => choice.Equals(meant, StringComparison.OrdinalIgnoreCase)) is { } choice)
            {
                return choice;
            }

            needed = $"must be {(definition.Choices.Count == 1 ? "" : "one of ")}{string.Join(", ", definition.Choices)}";
        }

        return needed is null
            ? definition.Synonyms.GetValueOrDefault(value, value)
            : throw new OptionException($"{where} is '{value}' and {needed}.{(definition.Advice is { } advice ? " " + advice : "")}");
    }

    private static bool IsBoolean(string value) =>
        value.Equals("true", StringComparison.OrdinalIgnoreCase) || value.Equals("false", StringComparison.OrdinalIgnoreCase);

    private static bool IsJsonObject(string value)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(value);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private List<string> CollectWarnings(Dictionary<string, OptionValue> values)
    {
        var warnings = new List<string>();
        foreach (OptionDefinition definition in _table)
        {
            if (definition.IgnoredBecause is { } reason && values.ContainsKey(definition.Name))
            {
                warnings.Add($"--{definition.Name} has no effect: {reason}.");
            }
        }

        return warnings;
    }
}
