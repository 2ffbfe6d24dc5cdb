using System.Text;
using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Validation.Fields;
using Ernie.Text;

namespace Ernie.Server.Validation.Readers;

/// <summary>Reads <c>messages</c>.</summary>
internal static class MessageReader
{
    /// <summary>Messages of a conversation, and parts of a message, at most.</summary>
    public const int MostMessages = 16384;

    private static readonly string[] s_roles = ["system", "developer", "user", "assistant", "tool", "function"];

    /// <summary>Reads and checks the conversation.</summary>
    /// <exception cref="ApiException">A 400 that names the message's field.</exception>
    public static IReadOnlyList<ChatMessage> Read(FieldValue value)
    {
        JsonElement array = value.List(MostMessages);
        if (array.GetArrayLength() == 0)
            throw ApiException.Invalid(value.Name, "'messages' is empty; a conversation needs at least one message.", "invalid_value");
        var messages = new List<ChatMessage>(array.GetArrayLength());
        foreach (JsonElement item in array.EnumerateArray())
            messages.Add(ReadMessage(new FieldValue($"messages[{messages.Count}]", item)));
        return messages;
    }

    private static ChatMessage ReadMessage(FieldValue message)
    {
        JsonElement map = message.Map();
        string role = Required(map, "role", message.Name).Text();
        if (!s_roles.Contains(role, StringComparer.Ordinal))
            throw ApiException.Invalid($"{message.Name}.role", $"'{message.Name}.role' is '{role}' and must be one of {string.Join(", ", s_roles)}.", "invalid_value");
        string content = ReadContent(map, role, message.Name);
        // OpenAI renamed the role of instructions; templates know the old name.
        return new ChatMessage(role == "developer" ? "system" : role, content) { Extra = ReadExtra(map) };
    }

    private static string ReadContent(JsonElement message, string role, string path)
    {
        string name = $"{path}.content";
        if (!message.TryGetProperty("content", out JsonElement content) || content.ValueKind == JsonValueKind.Null)
        {
            // An assistant that only called tools has no content, and one that refused has said so elsewhere.
            return role == "assistant"
                ? ReadRefusal(message, path)
                : throw ApiException.Invalid(name, $"'{name}' is required for a message of role '{role}'.", "missing_required_parameter");
        }

        return content.ValueKind switch
        {
            JsonValueKind.String => new FieldValue(name, content).Text(),
            JsonValueKind.Array => JoinParts(new FieldValue(name, content), role),
            _ => throw FieldError.WrongType(name, "a string or an array of text parts", content.ValueKind),
        };
    }

    private static string ReadRefusal(JsonElement message, string path) =>
        message.TryGetProperty("refusal", out JsonElement refusal) && refusal.ValueKind != JsonValueKind.Null
            ? new FieldValue($"{path}.refusal", refusal).Text()
            : "";

    private static string JoinParts(FieldValue parts, string role)
    {
        var text = new StringBuilder();
        int index = 0;
        foreach (JsonElement part in parts.List(MostMessages).EnumerateArray())
        {
            string name = $"{parts.Name}[{index++}]";
            if (part.ValueKind != JsonValueKind.Object)
                throw FieldError.WrongType(name, "an object with 'type' and 'text'", part.ValueKind);
            string type = part.TryGetProperty("type", out JsonElement typeValue) ? new FieldValue($"{name}.type", typeValue).Text() : "";
            if (type != "text" && !(type == "refusal" && role == "assistant"))
            {
                string taken = role == "assistant" ? "'text' and 'refusal'" : "'text'";
                throw ApiException.Invalid($"{name}.type", $"'{name}.type' is '{type}'; this model takes parts of type {taken} only.", "invalid_value");
            }

            text.Append(Required(part, type, name).Text());
        }

        return text.ToString();
    }

    private static FieldValue Required(JsonElement map, string name, string path) =>
        map.TryGetProperty(name, out JsonElement value) ? new FieldValue($"{path}.{name}", value) : throw FieldError.Missing($"{path}.{name}");

    private static Dictionary<string, JsonElement>? ReadExtra(JsonElement message)
    {
        Dictionary<string, JsonElement>? extra = null;
        foreach (JsonProperty field in message.EnumerateObject())
        {
            if (field.Name is not ("role" or "content"))
                (extra ??= [])[field.Name] = field.Value.Clone();
        }

        return extra;
    }
}
