namespace Ernie.Hosting.Options;

/// <summary>The options of a run. Every value has been checked against its row's kind, choices and range.</summary>
public sealed class OptionSet
{
    private readonly Dictionary<string, OptionValue> _values;

    internal OptionSet(Dictionary<string, OptionValue> values) => _values = values;

    /// <summary>Every option at its default.</summary>
    public static OptionSet Defaults { get; } = new([]);

    /// <summary>Arguments that are no options: commands, files; and everything after <c>--</c>.</summary>
    public IReadOnlyList<string> Remaining { get; internal init; } = [];

    /// <summary>One line per accepted option without effect, saying why.</summary>
    public IReadOnlyList<string> Warnings { get; internal init; } = [];

    /// <summary>Whether <c>--help</c> or <c>-h</c> was given; nothing else was checked then.</summary>
    public bool HelpRequested { get; internal init; }

    /// <summary>The value of a row: what was given, or its default.</summary>
    /// <param name="row">A row, of the table that was parsed with or of another, which has its default then.</param>
    public T Get<T>(Option<T> row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return _values.TryGetValue(row.Name, out OptionValue? value) && value.Bound is OptionBinding<T> bound ? bound.Value
            : row.Read(value?.Texts ?? (row.Default is { } standard ? [standard] : []));
    }

    /// <summary>The value of a row that this command cannot do without.</summary>
    /// <param name="row">A row without a default.</param>
    /// <exception cref="OptionException">Nobody gave a value.</exception>
    public T Require<T>(Option<T?> row)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(row);
        return Get(row) ?? throw new OptionException($"--{row.Name} is needed: {row.Help}");
    }

    /// <summary>Whether anyone gave a value.</summary>
    /// <param name="row">A row.</param>
    public bool IsSet(OptionDefinition row) => Source(row) != OptionSource.Default;

    /// <summary>Where the value came from.</summary>
    /// <param name="row">A row.</param>
    public OptionSource Source(OptionDefinition row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return _values.TryGetValue(row.Name, out OptionValue? value) ? value.Source : OptionSource.Default;
    }

    /// <summary>The same options with another value of a row, as a program sets it that knows better than its user, or a test.</summary>
    /// <param name="row">A row.</param>
    /// <param name="value">The value; it is not checked.</param>
    public OptionSet With<T>(Option<T> row, T value)
    {
        ArgumentNullException.ThrowIfNull(row);
        return new OptionSet(new Dictionary<string, OptionValue>(_values) { [row.Name] = new OptionValue([], OptionSource.Program, new OptionBinding<T>(value)) })
        {
            Remaining = Remaining,
            Warnings = Warnings,
            HelpRequested = HelpRequested,
        };
    }
}
