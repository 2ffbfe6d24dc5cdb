namespace Ernie.Tokenization.Jinja;

/// <summary>A test.</summary>
internal delegate bool Test(RenderState state, object? value, CallArguments arguments);
