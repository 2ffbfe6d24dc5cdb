namespace Ernie.Hosting.Options;

/// <summary>What was given for an option.</summary>
/// <param name="Texts">The texts, one unless the option is a list.</param>
/// <param name="Source">Where they came from.</param>
/// <param name="Bound">An <see cref="OptionBinding{T}"/> where the program set a value in place of texts.</param>
internal sealed record OptionValue(IReadOnlyList<string> Texts, OptionSource Source, object? Bound = null);

/// <summary>A value that the program set; a box that tells a null from no value.</summary>
/// <param name="Value">The value.</param>
internal sealed record OptionBinding<T>(T Value);
