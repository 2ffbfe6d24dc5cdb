using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Validation.Fields;

namespace Ernie.Server.Validation.Readers;

/// <summary>Reads <c>stop</c> and <c>stream_options</c>.</summary>
internal static class StopFields
{
    /// <summary>Stop strings at most.</summary>
    public const int MostStrings = 16;

    /// <summary>Stop tokens at most.</summary>
    public const int MostTokens = 1024;

    /// <summary>Reads <c>stop</c>: a string or several.</summary>
    public static void ReadStrings(FieldValue value, RequestDraft draft)
    {
        if (value.Json.ValueKind is not (JsonValueKind.String or JsonValueKind.Array))
            throw FieldError.WrongType(value.Name, "a string or an array of strings", value.Json.ValueKind);
        List<string> strings = value.Json.ValueKind == JsonValueKind.String ? [value.Text()] : value.Texts(MostStrings);
        draft.StopStrings = strings.TrueForAll(text => text.Length > 0)
            ? strings
            : throw ApiException.Invalid(value.Name, "'stop' has an empty string, which would match at once.", "invalid_value");
    }

    /// <summary>Reads <c>stream_options</c>.</summary>
    public static void ReadStreamOptions(FieldValue value, RequestDraft draft)
    {
        JsonElement options = value.Map();
        var read = new StreamOptions(Flag("include_usage"), Flag("continuous_usage_stats"));
        if (read is { Continuous: true, IncludeUsage: false })
            throw ApiException.Invalid(value.Name, "'stream_options.continuous_usage_stats' needs 'include_usage' to be true too.", "invalid_value");
        draft.StreamOptions = read;

        bool Flag(string name) =>
            options.TryGetProperty(name, out JsonElement flag) && flag.ValueKind != JsonValueKind.Null && new FieldValue($"{value.Name}.{name}", flag).Flag();
    }
}
