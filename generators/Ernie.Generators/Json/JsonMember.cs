namespace Ernie.Generators;

/// <summary>A member of a JSON object.</summary>
public sealed class JsonMember
{
    /// <summary>Creates the member.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="nameSpan">Where the name stands, quotes included.</param>
    /// <param name="value">Its value.</param>
    public JsonMember(string name, JsonSpan nameSpan, JsonNode value)
    {
        Name = name;
        NameSpan = nameSpan;
        Value = value;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Where the name stands, quotes included.</summary>
    public JsonSpan NameSpan { get; }

    /// <summary>Its value.</summary>
    public JsonNode Value { get; }
}
