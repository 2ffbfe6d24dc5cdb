using System.Globalization;

namespace Ernie.Hosting.Options;

/// <summary>Parsed options: every value has been checked against its kind and its choices.</summary>
public sealed class OptionSet
{
    private readonly Dictionary<string, OptionDefinition> _definitions;
    private readonly Dictionary<string, (IReadOnlyList<string> Values, OptionSource Source)> _values;

    internal OptionSet(
        Dictionary<string, OptionDefinition> definitions,
        Dictionary<string, (IReadOnlyList<string> Values, OptionSource Source)> values)
    {
        _definitions = definitions;
        _values = values;
    }

    /// <summary>Arguments that are no options: commands, files; and everything after <c>--</c>.</summary>
    public IReadOnlyList<string> Remaining { get; internal init; } = [];

    /// <summary>One line per accepted option without effect, saying why.</summary>
    public IReadOnlyList<string> Warnings { get; internal init; } = [];

    /// <summary>Whether <c>--help</c> or <c>-h</c> was given; nothing else was checked then.</summary>
    public bool HelpRequested { get; internal init; }

    /// <summary>Whether anyone gave a value.</summary>
    /// <param name="name">Name of an option in the table that was parsed with.</param>
    public bool IsSet(string name) => Source(name) != OptionSource.Default;

    /// <summary>Where the value came from.</summary>
    /// <param name="name">Name of an option.</param>
    public OptionSource Source(string name)
    {
        Definition(name);
        return _values.TryGetValue(name, out var value) ? value.Source : OptionSource.Default;
    }

    /// <summary>A text, or null when there is neither a value nor a default.</summary>
    /// <param name="name">Name of an option.</param>
    public string? Text(string name)
    {
        OptionDefinition definition = Definition(name);
        return _values.TryGetValue(name, out var value) ? value.Values[^1] : definition.Default;
    }

    /// <summary>A text that has a default.</summary>
    /// <param name="name">Name of an option with a default.</param>
    public string RequiredText(string name) =>
        Text(name) ?? throw new OptionException($"--{name} is needed.");

    /// <summary>A whole number, or null when there is neither a value nor a default.</summary>
    /// <param name="name">Name of an option.</param>
    public long? WholeNumber(string name) =>
        Text(name) is { } text ? long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : null;

    /// <summary>A number, or null when there is neither a value nor a default.</summary>
    /// <param name="name">Name of an option.</param>
    public double? Number(string name) =>
        Text(name) is { } text ? double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture) : null;

    /// <summary>A switch; false when there is neither a value nor a default.</summary>
    /// <param name="name">Name of an option.</param>
    public bool Flag(string name) => Text(name) is { } text && text.Equals("true", StringComparison.OrdinalIgnoreCase);

    /// <summary>All values of a repeatable option, in order.</summary>
    /// <param name="name">Name of an option.</param>
    public IReadOnlyList<string> List(string name)
    {
        OptionDefinition definition = Definition(name);
        return _values.TryGetValue(name, out var value) ? value.Values : definition.Default is { } text ? [text] : [];
    }

    /// <summary>A whole number within bounds.</summary>
    /// <param name="name">Name of an option.</param>
    /// <param name="least">Smallest value allowed.</param>
    /// <param name="most">Largest value allowed.</param>
    /// <exception cref="OptionException">The value is out of bounds.</exception>
    public int? WholeNumber(string name, int least, int most = int.MaxValue)
    {
        long? value = WholeNumber(name);
        return value is null || (value >= least && value <= most)
            ? (int?)value
            : throw new OptionException(most == int.MaxValue
                ? $"--{name} is {value} and must be at least {least}."
                : $"--{name} is {value} and must be between {least} and {most}.");
    }

    private OptionDefinition Definition(string name) =>
        _definitions.TryGetValue(name, out OptionDefinition? definition)
            ? definition
            : throw new ArgumentException($"'{name}' is not in the table these options were parsed with.", nameof(name));
}
