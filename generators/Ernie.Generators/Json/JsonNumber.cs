namespace Ernie.Generators;

/// <summary>A JSON number as it is written.</summary>
public sealed class JsonNumber : JsonNode
{
    /// <summary>Creates the number.</summary>
    /// <param name="span">Where it stands.</param>
    /// <param name="text">Its digits as written.</param>
    public JsonNumber(JsonSpan span, string text)
        : base(span) => Text = text;

    /// <summary>Its digits as written.</summary>
    public string Text { get; }

    /// <inheritdoc/>
    public override string Description => $"the number {Text}";
}
