using Ernie.Server.Errors;
using Ernie.Server.Validation.Fields;

namespace Ernie.Server.Validation.Readers;

/// <summary>Reads how much of a prompt is kept.</summary>
internal static class PromptFields
{
    /// <summary>Reads <c>truncate_prompt_tokens</c>.</summary>
    public static int Truncation(FieldValue value)
    {
        int count = value.Whole(-1);
        return count != 0 ? count : throw ApiException.Invalid(value.Name, "'truncate_prompt_tokens' is 0, which keeps nothing; it must be -1 or at least 1.", "invalid_value");
    }

    /// <summary>Reads <c>truncation_side</c>.</summary>
    public static bool IsRight(FieldValue value) => value.Text() switch
    {
        "right" => true,
        "left" => false,
        string other => throw ApiException.Invalid(value.Name, $"'truncation_side' is '{other}' and must be 'left' or 'right'.", "invalid_value"),
    };
}
