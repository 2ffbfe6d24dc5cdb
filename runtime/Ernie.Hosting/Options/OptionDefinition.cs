namespace Ernie.Hosting.Options;

/// <summary>One option, as the command line, a configuration file and the environment spell it.</summary>
/// <param name="Name">Kebab-case, without dashes in front.</param>
/// <param name="Group">Heading in the help.</param>
/// <param name="Kind">What the value is.</param>
/// <param name="Help">One sentence, with the unit.</param>
public sealed record OptionDefinition(string Name, OptionGroup Group, OptionKind Kind, string Help)
{
    /// <summary>Value when nobody gives one; null when absence has a meaning of its own, which the help names.</summary>
    public string? Default { get; init; }

    /// <summary>Other spellings.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Environment variables besides <c>ERNIE_NAME_OF_OPTION</c>, first one wins.</summary>
    public IReadOnlyList<string> EnvironmentVariables { get; init; } = [];

    /// <summary>The values allowed; empty allows all of the kind.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Why a value is accepted without effect; null for an option that has one.</summary>
    public string? IgnoredBecause { get; init; }

    /// <summary>The variable that every option has: <c>max-model-len</c> is <c>ERNIE_MAX_MODEL_LEN</c>.</summary>
    public string OwnEnvironmentVariable => "ERNIE_" + Name.Replace('-', '_').ToUpperInvariant();
}
