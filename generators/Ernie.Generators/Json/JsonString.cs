namespace Ernie.Generators;

/// <summary>A JSON string.</summary>
public sealed class JsonString : JsonNode
{
    private const int MaximumShown = 100;

    /// <summary>Creates the string.</summary>
    /// <param name="span">Where it stands, quotes included.</param>
    /// <param name="value">Its text, escapes resolved.</param>
    public JsonString(JsonSpan span, string value)
        : base(span) => Value = value;

    /// <summary>Its text, escapes resolved.</summary>
    public string Value { get; }

    /// <inheritdoc/>
    public override string Description => $"the string \"{(Value.Length > MaximumShown ? Value.Substring(0, MaximumShown) + "…" : Value)}\"";
}
