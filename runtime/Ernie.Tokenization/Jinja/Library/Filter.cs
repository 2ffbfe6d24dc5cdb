namespace Ernie.Tokenization.Jinja;

/// <summary>A filter.</summary>
internal delegate object? Filter(RenderState state, object? value, CallArguments arguments);
