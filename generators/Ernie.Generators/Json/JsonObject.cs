namespace Ernie.Generators;

/// <summary>A JSON object.</summary>
public sealed class JsonObject : JsonNode
{
    /// <summary>Creates the object.</summary>
    /// <param name="span">Where it stands.</param>
    /// <param name="members">Members in the order of the text, duplicates included.</param>
    public JsonObject(JsonSpan span, IReadOnlyList<JsonMember> members)
        : base(span) => Members = members;

    /// <summary>Members in the order of the text, duplicates included.</summary>
    public IReadOnlyList<JsonMember> Members { get; }

    /// <inheritdoc/>
    public override string Description => "an object";

    /// <summary>The first member of a name, or null.</summary>
    /// <param name="name">Name, compared exactly.</param>
    public JsonMember? Find(string name) => Members.FirstOrDefault(member => member.Name == name);
}
