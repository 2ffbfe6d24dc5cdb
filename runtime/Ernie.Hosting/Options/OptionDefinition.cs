namespace Ernie.Hosting.Options;

/// <summary>One option, as the command line, a configuration file and the environment spell it. <see cref="Option{T}"/> also knows its type.</summary>
/// <param name="Name">Kebab-case, without dashes in front.</param>
/// <param name="Group">Heading in the help.</param>
/// <param name="Kind">What the value is.</param>
/// <param name="Help">One sentence, with the unit.</param>
public record OptionDefinition(string Name, OptionGroup Group, OptionKind Kind, string Help)
{
    /// <summary>Value when nobody gives one; null when absence has a meaning of its own, which the help names.</summary>
    public string? Default { get; init; }

    /// <summary>Other spellings.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Environment variables besides <c>ERNIE_NAME_OF_OPTION</c>, first one wins.</summary>
    public IReadOnlyList<string> EnvironmentVariables { get; init; } = [];

    /// <summary>The values allowed; empty allows all of the kind.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Other words for values, FastDeploy's among them, and the values that they stand for.</summary>
    public IReadOnlyDictionary<string, string> Synonyms { get; init; } = new Dictionary<string, string>();

    /// <summary>The numbers allowed; null allows all of the kind.</summary>
    public OptionRange? Range { get; init; }

    /// <summary>Finds what is wrong with a value beyond its kind: null, or what it must be, as in "must be name=value".</summary>
    public Func<string, string?>? FindFault { get; init; }

    /// <summary>Said after a refusal of a value: why there is this limit, and what would work.</summary>
    public string? Advice { get; init; }

    /// <summary>Whether several words may follow the option on the command line; only of a list.</summary>
    public bool TakesSeveral { get; init; }

    /// <summary>Whether messages keep the value to themselves.</summary>
    public bool IsSecret { get; init; }

    /// <summary>
    /// Whether an empty value is an error in a variable too. Elsewhere an empty variable counts as absent; a key that is absent by
    /// accident would let everybody in.
    /// </summary>
    public bool RefusesEmpty { get; init; }

    /// <summary>Whether a configuration file may give a mapping, which is then read as JSON.</summary>
    public bool TakesMapping { get; init; }

    /// <summary>Why a value is accepted without effect; null for an option that has one.</summary>
    public string? IgnoredBecause { get; init; }

    /// <summary>Why a value is refused; null for an option that is not.</summary>
    public string? RefusedBecause { get; init; }

    /// <summary>Values of which nothing need be said, for they ask for what there is.</summary>
    public IReadOnlyList<string> AskNothing { get; init; } = [];

    /// <summary>Whether it is here only to be understood: nothing reads it.</summary>
    public bool HasNoEffect => IgnoredBecause is not null || RefusedBecause is not null;

    /// <summary>The variable that every option has: <c>max-model-len</c> is <c>ERNIE_MAX_MODEL_LEN</c>.</summary>
    public string OwnEnvironmentVariable => "ERNIE_" + Name.Replace('-', '_').ToUpperInvariant();
}
