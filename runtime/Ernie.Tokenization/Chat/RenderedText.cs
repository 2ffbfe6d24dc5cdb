namespace Ernie.Tokenization;

/// <summary>A rendered template that knows which parts of it came from the request.</summary>
/// <param name="Text">The whole text.</param>
/// <param name="Content">The parts that came from the request, ascending, not overlapping. Special tokens spelled there are plain text.</param>
public sealed record RenderedText(string Text, IReadOnlyList<TextSpan> Content);
