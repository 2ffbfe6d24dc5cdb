namespace Ernie.Generators;

/// <summary>A value of a JSON text that knows where it stands.</summary>
public abstract class JsonNode
{
    /// <summary>Creates the value.</summary>
    /// <param name="span">Where it stands.</param>
    protected JsonNode(JsonSpan span) => Span = span;

    /// <summary>Where the value stands.</summary>
    public JsonSpan Span { get; }

    /// <summary>For messages: "a string", "the number 3".</summary>
    public abstract string Description { get; }
}
