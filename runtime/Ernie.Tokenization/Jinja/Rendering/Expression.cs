namespace Ernie.Tokenization.Jinja;

/// <summary>A compiled expression.</summary>
internal delegate object? Expression(RenderState state);
