namespace Ernie.Generators;

/// <summary>A text is not JSON.</summary>
public sealed class JsonSyntaxException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was found and what was needed.</param>
    /// <param name="span">Where.</param>
    public JsonSyntaxException(string message, JsonSpan span)
        : base(message) => Span = span;

    /// <summary>Where.</summary>
    public JsonSpan Span { get; }
}
