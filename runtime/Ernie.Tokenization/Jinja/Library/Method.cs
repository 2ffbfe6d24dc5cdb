namespace Ernie.Tokenization.Jinja;

/// <summary>A method of a kind of value.</summary>
/// <typeparam name="T">The kind.</typeparam>
internal delegate object? Method<in T>(RenderState state, T self, CallArguments arguments);
