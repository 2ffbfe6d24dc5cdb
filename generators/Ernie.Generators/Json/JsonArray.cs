namespace Ernie.Generators;

/// <summary>A JSON array.</summary>
public sealed class JsonArray : JsonNode
{
    /// <summary>Creates the array.</summary>
    /// <param name="span">Where it stands.</param>
    /// <param name="items">Its values.</param>
    public JsonArray(JsonSpan span, IReadOnlyList<JsonNode> items)
        : base(span) => Items = items;

    /// <summary>Its values.</summary>
    public IReadOnlyList<JsonNode> Items { get; }

    /// <inheritdoc/>
    public override string Description => "an array";
}
