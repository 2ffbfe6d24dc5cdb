namespace Ernie.Generators;

/// <summary>true, false or null.</summary>
public sealed class JsonLiteral : JsonNode
{
    /// <summary>Creates the literal.</summary>
    /// <param name="span">Where it stands.</param>
    /// <param name="value">True, false, or null for null.</param>
    public JsonLiteral(JsonSpan span, bool? value)
        : base(span) => Value = value;

    /// <summary>True, false, or null for null.</summary>
    public bool? Value { get; }

    /// <inheritdoc/>
    public override string Description => Value switch
    {
        true => "true",
        false => "false",
        null => "null",
    };
}
