using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Validation.Fields;

namespace Ernie.Server.Validation.Readers;

/// <summary>Reads what goes to the chat template.</summary>
internal static class TemplateFields
{
    /// <summary>Documents at most.</summary>
    public const int MostDocuments = 1024;

    /// <summary>Characters of a template that a request brings.</summary>
    public const int LongestTemplate = 128 << 10;

    private static readonly string[] s_efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

    /// <summary>Reads <c>chat_template_kwargs</c>.</summary>
    public static void ReadArguments(FieldValue value, RequestDraft draft)
    {
        // Cloned: the template may keep them longer than the request's document lives.
        foreach (JsonProperty entry in value.Map().EnumerateObject())
            draft.TemplateArguments[entry.Name] = entry.Value.Clone();
    }

    /// <summary>Reads <c>chat_template</c>.</summary>
    public static void ReadTemplate(FieldValue value, RequestDraft draft)
    {
        string template = value.Text(LongestTemplate);
        draft.ChatTemplate = draft.Server.Options.TrustRequestChatTemplate
            ? template
            : throw ApiException.Unsupported(value.Name, "'chat_template' is not taken from requests; the server's operator can allow it with --trust-request-chat-template.");
    }

    /// <summary>Reads <c>documents</c>.</summary>
    public static void ReadDocuments(FieldValue value, RequestDraft draft)
    {
        foreach (JsonElement document in value.List(MostDocuments).EnumerateArray())
            _ = new FieldValue(value.Name, document).Map();
        draft.TemplateFields[value.Name] = value.Json.Clone();
    }

    /// <summary>Reads <c>enable_thinking</c>.</summary>
    public static void ReadThinking(FieldValue value, RequestDraft draft)
    {
        _ = value.Flag();
        draft.TemplateFields[value.Name] = value.Json.Clone();
    }

    /// <summary>Reads <c>reasoning_effort</c>: any but "none" also enables thinking where nothing else says.</summary>
    public static void ReadEffort(FieldValue value, RequestDraft draft)
    {
        string effort = value.Text();
        if (!s_efforts.Contains(effort, StringComparer.Ordinal))
            throw ApiException.Invalid(value.Name, $"'reasoning_effort' is '{effort}' and must be one of {string.Join(", ", s_efforts)}.", "invalid_value");
        draft.TemplateFields[value.Name] = value.Json.Clone();
        using JsonDocument thinking = JsonDocument.Parse(effort == "none" ? "false" : "true");
        draft.TemplateFields.TryAdd("enable_thinking", thinking.RootElement.Clone());
    }
}
