using System.Globalization;
using System.Text.Json;
using Ernie.Server.Errors;

namespace Ernie.Server.Validation.Fields;

/// <summary>The 400s of fields: each says what was found and what is needed.</summary>
internal static class FieldError
{
    /// <summary>A field of the wrong type.</summary>
    public static ApiException WrongType(string name, string needed, JsonValueKind found) =>
        ApiException.Invalid(name, $"'{name}' is {Describe(found)} and must be {needed}.", "invalid_type");

    /// <summary>A value out of range.</summary>
    public static ApiException OutOfRange(string name, double found, string needed) =>
        ApiException.Invalid(name, $"'{name}' is {Format(found)} and must be {needed}.", "invalid_value");

    /// <summary>A required field that is absent.</summary>
    public static ApiException Missing(string name, string? alternative = null) =>
        ApiException.Invalid(name, alternative is null ? $"'{name}' is required." : $"'{name}' or '{alternative}' is required.", "missing_required_parameter");

    /// <summary>Refuses a list that is longer than its bound.</summary>
    public static void CheckCount(string name, int count, int most)
    {
        if (count > most)
            throw ApiException.Invalid(name, $"'{name}' has {count} entries; at most {most} are allowed.", "invalid_value");
    }

    /// <summary>Checks a token id of the model.</summary>
    public static int CheckTokenId(string name, long number, int vocabularySize) =>
        number >= 0 && number < vocabularySize ? (int)number : throw OutOfRange(name, number, $"a token id between 0 and {vocabularySize - 1}");

    /// <summary>A range in words: both of its ends, however large.</summary>
    public static string Range(double least, double most) => $"between {Format(least)} and {Format(most)}";

    /// <summary>A number as JSON would have it.</summary>
    public static string Format(double number) => number is float.MaxValue ? "3.4e38" : number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A JSON kind in words.</summary>
    public static string Describe(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };
}
