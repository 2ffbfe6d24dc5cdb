using System.Text;
using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Text;

namespace Ernie.Server.Validation;

/// <summary>Reads <c>messages</c>.</summary>
internal static class MessageReader
{
    private static readonly string[] s_roles = ["system", "developer", "user", "assistant", "tool", "function"];

    /// <summary>Reads and checks the conversation.</summary>
    /// <exception cref="ApiException">A 400 that names the message's field.</exception>
    public static IReadOnlyList<ChatMessage> Read(RequestFields fields)
    {
        if (fields.Array("messages") is not { } array)
            throw ApiException.Invalid("messages", "'messages' is required.", "missing_required_parameter");
        if (array.GetArrayLength() == 0)
            throw ApiException.Invalid("messages", "'messages' is empty; a conversation needs at least one message.", "invalid_value");
        var messages = new List<ChatMessage>(array.GetArrayLength());
        foreach (JsonElement item in array.EnumerateArray())
            messages.Add(ReadMessage(item, $"messages[{messages.Count}]"));
        return messages;
    }

    private static ChatMessage ReadMessage(JsonElement message, string path)
    {
        if (message.ValueKind != JsonValueKind.Object)
            throw RequestFields.WrongType(path, "an object", message.ValueKind);
        if (!message.TryGetProperty("role", out JsonElement roleValue))
            throw ApiException.Invalid($"{path}.role", $"'{path}.role' is required.", "missing_required_parameter");
        string role = RequestFields.AsText(roleValue, $"{path}.role");
        if (!s_roles.Contains(role, StringComparer.Ordinal))
            throw ApiException.Invalid($"{path}.role", $"'{path}.role' is '{role}' and must be one of {string.Join(", ", s_roles)}.", "invalid_value");
        string content = ReadContent(message, role, path);
        // OpenAI renamed the role of instructions; templates know the old name.
        return new ChatMessage(role == "developer" ? "system" : role, content) { Extra = ReadExtra(message) };
    }

    private static string ReadContent(JsonElement message, string role, string path)
    {
        string name = $"{path}.content";
        if (!message.TryGetProperty("content", out JsonElement content) || content.ValueKind == JsonValueKind.Null)
        {
            // An assistant that only called tools has no content.
            return role == "assistant"
                ? ""
                : throw ApiException.Invalid(name, $"'{name}' is required for a message of role '{role}'.", "missing_required_parameter");
        }

        return content.ValueKind switch
        {
            JsonValueKind.String => RequestFields.AsText(content, name),
            JsonValueKind.Array => JoinParts(content, name),
            _ => throw RequestFields.WrongType(name, "a string or an array of text parts", content.ValueKind),
        };
    }

    private static string JoinParts(JsonElement parts, string name)
    {
        var text = new StringBuilder();
        int index = 0;
        foreach (JsonElement part in parts.EnumerateArray())
        {
            string partName = $"{name}[{index++}]";
            if (part.ValueKind != JsonValueKind.Object)
                throw RequestFields.WrongType(partName, "an object with 'type' and 'text'", part.ValueKind);
            string type = part.TryGetProperty("type", out JsonElement typeValue) ? RequestFields.AsText(typeValue, $"{partName}.type") : "";
            if (type != "text")
                throw ApiException.Invalid($"{partName}.type", $"'{partName}.type' is '{type}'; this model takes parts of type 'text' only.", "invalid_value");
            if (!part.TryGetProperty("text", out JsonElement value))
                throw ApiException.Invalid($"{partName}.text", $"'{partName}.text' is required.", "missing_required_parameter");
            text.Append(RequestFields.AsText(value, $"{partName}.text"));
        }

        return text.ToString();
    }

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
