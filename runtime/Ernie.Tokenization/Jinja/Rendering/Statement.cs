namespace Ernie.Tokenization.Jinja;

/// <summary>A compiled statement.</summary>
internal delegate Flow Statement(RenderState state);
