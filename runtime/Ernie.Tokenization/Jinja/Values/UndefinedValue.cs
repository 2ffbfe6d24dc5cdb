namespace Ernie.Tokenization.Jinja;

/// <summary>What a missing variable or attribute evaluates to: prints as nothing, is false and empty, and refuses everything else.</summary>
/// <param name="description">What is missing, for example <c>'tools' is undefined</c>.</param>
internal sealed class UndefinedValue(string description)
{
    /// <summary>What is missing.</summary>
    public string Description { get; } = description;
}
