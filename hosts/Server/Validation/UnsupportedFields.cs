using System.Text.Json;
using Ernie.Server.Errors;

namespace Ernie.Server.Validation;

/// <summary>Refuses fields that the API knows and this server cannot honour: silently ignoring them would give wrong answers.</summary>
internal static class UnsupportedFields
{
    private static readonly string[] s_guidance =
        ["guided_json", "guided_regex", "guided_choice", "guided_grammar", "structural_tag", "structured_outputs"];

    /// <summary>Checks the fields that chat and completions share.</summary>
    /// <exception cref="ApiException">One of them asks for something.</exception>
    public static void Check(RequestFields fields)
    {
        foreach (string name in s_guidance)
        {
            if (fields.TryGet(name, out _))
                throw ApiException.Unsupported(name, $"'{name}' is not supported yet: output cannot be constrained.");
        }

        CheckResponseFormat(fields);
    }

    /// <summary>Checks the fields of tools; an empty list asks for nothing.</summary>
    public static void CheckTools(RequestFields fields)
    {
        foreach (string name in (ReadOnlySpan<string>)["tools", "functions"])
        {
            if (fields.Array(name) is { } list && list.GetArrayLength() > 0)
                throw ApiException.Unsupported(name, $"'{name}' is not supported yet: the model cannot be given tools.");
        }

        foreach (string name in (ReadOnlySpan<string>)["tool_choice", "function_call"])
        {
            if (!fields.TryGet(name, out JsonElement choice))
                continue;
            if (choice.ValueKind is not (JsonValueKind.String or JsonValueKind.Object))
                throw RequestFields.WrongType(name, "a string or an object", choice.ValueKind);
            if (choice.ValueKind == JsonValueKind.Object || RequestFields.AsText(choice, name) != "none")
                throw ApiException.Unsupported(name, $"'{name}' other than \"none\" is not supported yet: the model cannot be given tools.");
        }
    }

    private static void CheckResponseFormat(RequestFields fields)
    {
        if (fields.Object("response_format") is not { } format)
            return;
        if (!format.TryGetProperty("type", out JsonElement type))
            throw ApiException.Invalid("response_format", "'response_format' must have a 'type'.");
        string name = RequestFields.AsText(type, "response_format.type");
        if (name == "text")
            return;
        if (name is "json_object" or "json_schema" or "structural_tag")
            throw ApiException.Unsupported("response_format", $"'response_format' of type '{name}' is not supported yet: output cannot be constrained.");
        throw ApiException.Invalid("response_format", $"'response_format' is of type '{name}' and must be of type 'text'.", "invalid_value");
    }
}
