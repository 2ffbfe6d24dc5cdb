namespace Ernie.Generators;

/// <summary>A whole number of a model that weight tables are written in.</summary>
/// <param name="Name">Name of the constant: <c>QueryWidth</c>.</param>
/// <param name="Value">Its value.</param>
/// <param name="Summary">What it is.</param>
/// <param name="Expression">How generated code writes it in terms of constants before it; null for the number itself.</param>
public sealed record ModelConstant(string Name, int Value, string Summary, string? Expression = null);
