namespace Ernie.Generators;

/// <summary>Part of a text.</summary>
/// <param name="Start">Index of the first UTF-16 unit.</param>
/// <param name="Length">UTF-16 units.</param>
public readonly record struct JsonSpan(int Start, int Length);
