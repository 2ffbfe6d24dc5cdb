using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Validation.Fields;

namespace Ernie.Server.Validation.Readers;

/// <summary>Parameters of samplers that plugins bring: fields that the API does not know, and <c>vllm_xargs</c>.</summary>
internal static class SamplerParameters
{
    /// <summary>Texts of one parameter at most.</summary>
    public const int MostTexts = 1024;

    /// <summary>Takes a number, a text or a list of texts.</summary>
    /// <param name="draft">Receives it.</param>
    /// <param name="value">The parameter.</param>
    /// <param name="isNamed">Whether the request says that it is one: anything else is then an error, not a field that nobody knows.</param>
    public static void Add(RequestDraft draft, FieldValue value, bool isNamed)
    {
        JsonElement json = value.Json;
        if (json.ValueKind == JsonValueKind.Number)
            draft.Extra[value.Name] = value.Double();
        else if (json.ValueKind == JsonValueKind.String)
            draft.ExtraTexts[value.Name] = [value.Text()];
        else if (json.ValueKind == JsonValueKind.Array && json.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
            draft.ExtraTexts[value.Name] = value.Texts(MostTexts);
        else if (isNamed)
            throw ApiException.Invalid("vllm_xargs", $"'vllm_xargs.{value.Name}' is {FieldError.Describe(json.ValueKind)} and must be a number, a string or an array of strings.", "invalid_type");
    }

    /// <summary>Reads <c>vllm_xargs</c>.</summary>
    public static void ReadNamed(FieldValue value, RequestDraft draft)
    {
        foreach (JsonProperty property in value.Map().EnumerateObject())
            Add(draft, new FieldValue(property.Name, property.Value), isNamed: true);
    }
}
