using System.Globalization;

namespace Ernie.Hosting.Options.Parsing;

/// <summary>Reads a command line. Every word is understood, or the reading ends with what it was and what would have worked.</summary>
internal sealed class CommandLineReader(OptionSpellings spellings, bool takesWords, ValueStore values)
{
    private readonly List<string> _words = [];
    private IReadOnlyList<string> _args = [];
    private int _next;

    // What stood before the current word, for messages.
    private string _before = "";

    /// <summary>Reads.</summary>
    /// <returns>The words that are no options, and everything after <c>--</c>.</returns>
    public IReadOnlyList<string> Read(IReadOnlyList<string> args)
    {
        _args = args;
        while (_next < args.Count)
        {
            string word = args[_next++];
            if (word == "--")
            {
                _words.AddRange(args.Skip(_next));
                break;
            }

            if (word.Length > 1 && word[0] == '-' && !IsNumber(word))
            {
                ReadOption(word);
            }
            else if (takesWords)
            {
                _words.Add(word);
            }
            else
            {
                throw Stray(word);
            }
        }

        return _words;
    }

    private void ReadOption(string word)
    {
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? word : word[..equals];
        string? given = equals < 0 ? null : word[(equals + 1)..];
        OptionDefinition definition = Find(name, ref given, out bool negated);
        if (negated)
        {
            _before = $"{name}, which takes no value: {name[..2]}{definition.Name} true or {name[..2]}{definition.Name} false does";
            if (given is not null)
            {
                throw new OptionException($"{name} takes no value. Write --{definition.Name}={Excerpt.Of(given)}.");
            }

            values.Add(definition, ["false"], OptionSource.CommandLine, name);
            return;
        }

        IReadOnlyList<string> texts = definition.Kind switch
        {
            OptionKind.Boolean => [given ?? (_next < _args.Count && ValueCheck.IsTrueOrFalse(_args[_next]) ? _args[_next++] : "true")],
            OptionKind.TextList => ListValue.Expand(given is null ? Several(definition, name) : [given], name),
            _ => given is null ? One(definition, name) : [given],
        };
        _before = $"{name}, which takes {definition.Kind switch { OptionKind.Boolean => "true, false or nothing", OptionKind.TextList when definition.TakesSeveral => "these values", _ => "one value" }}";
        values.Add(definition, [.. texts.Select(text => ValueCheck.Run(definition, text, name))], OptionSource.CommandLine, name);
    }

    private OptionDefinition Find(string name, ref string? given, out bool negated)
    {
        negated = false;
        if (name.StartsWith("--", StringComparison.Ordinal))
        {
            return name.Length > 2 ? spellings.Find(name[2..], spelling => "--" + spelling, out negated)
                : throw new OptionException($"'{name}=' names no option. Options are written --name=value; --help lists them.");
        }

        if (spellings.FindShort(name) is { } definition)
        {
            return definition;
        }

        // A value may follow the letter, as in -O3.
        if (given is null && spellings.FindShort(name[..2]) is { } attached)
        {
            given = name[2..];
            return attached;
        }

        // A long name after one dash; the message of an unknown one names the nearest.
        definition = spellings.Find(name.TrimStart('-'), spelling => spelling == name.TrimStart('-') ? name : "--" + spelling, out _);
        throw new OptionException($"There is no option {name}. Did you mean --{definition.Name}?");
    }

    private IReadOnlyList<string> One(OptionDefinition definition, string name)
    {
        if (_next < _args.Count && IsValue(_args[_next]))
        {
            return [_args[_next++]];
        }

        // What has no effect lacks nothing without a value.
        return definition.HasNoEffect ? ["true"] : throw NeedsValue(definition, name);
    }

    private List<string> Several(OptionDefinition definition, string name)
    {
        var texts = new List<string>();
        while (_next < _args.Count && IsValue(_args[_next]) && (texts.Count == 0 || definition.TakesSeveral))
        {
            texts.Add(_args[_next++]);
        }

        return texts.Count > 0 || definition.HasNoEffect ? texts : throw NeedsValue(definition, name);
    }

    private OptionException NeedsValue(OptionDefinition definition, string name)
    {
        string next = _next < _args.Count && _args[_next] != "--"
            ? $" '{Excerpt.Of(_args[_next])}' looks like an option; write {name}={Excerpt.Of(_args[_next])} if it is the value."
            : "";
        return new OptionException($"{name} needs a value: {definition.Help}{next}");
    }

    // A value begins with a dash only when it is a number, as in --max-waiting-time -1.
    private static bool IsValue(string word) => word.Length == 0 || word[0] != '-' || word == "-" || IsNumber(word);

    private static bool IsNumber(string word) => double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private OptionException Stray(string word)
    {
        string place = _before.Length > 0 ? $"after {_before}," : "at the beginning";
        if (word.Length == 0)
        {
            return new OptionException($"There is an empty word {place.TrimEnd(',')}: a variable of the shell that is not set? Leave it away.");
        }

        string advice = word[0] is '–' or '—' or '‐' or '‑' or '−'
            ? $"It begins with a typographer's dash; write --{Excerpt.Of(word.TrimStart('–', '—', '‐', '‑', '−', '-'))}."
            : "Options are written --name value or --name=value; --help lists them.";
        return new OptionException($"The word '{Excerpt.Of(word)}' {place} is not understood. {advice}");
    }
}
