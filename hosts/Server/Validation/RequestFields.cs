using System.Globalization;
using System.Text.Json;
using Ernie.Server.Errors;

namespace Ernie.Server.Validation;

/// <summary>
/// Typed access to a request's fields. A field that is absent or null has its default; one of the wrong type or range is a
/// 400 that names it; fields nobody asks for are ignored. Fields in <c>metadata</c> count where the request itself has none.
/// </summary>
internal sealed class RequestFields
{
    private readonly JsonElement _root;
    private readonly JsonElement _metadata;

    /// <summary>Wraps a request.</summary>
    /// <param name="root">A JSON object.</param>
    /// <exception cref="ApiException"><c>metadata</c> is not an object.</exception>
    public RequestFields(JsonElement root)
    {
        _root = root;
        if (root.TryGetProperty("metadata", out JsonElement metadata) && metadata.ValueKind != JsonValueKind.Null)
            _metadata = metadata.ValueKind == JsonValueKind.Object ? metadata : throw WrongType("metadata", "an object", metadata.ValueKind);
    }

    /// <summary>The request's own fields, without metadata.</summary>
    public JsonElement.ObjectEnumerator Own => _root.EnumerateObject();

    /// <summary>Finds a field that is present and not null.</summary>
    public bool TryGet(string name, out JsonElement value)
    {
        if (_root.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null)
            return true;
        return _metadata.ValueKind == JsonValueKind.Object && _metadata.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
    }

    /// <summary>Reads a string.</summary>
    public string? Text(string name) => TryGet(name, out JsonElement value) ? AsText(value, name) : null;

    /// <summary>Reads true or false.</summary>
    public bool Flag(string name, bool otherwise = false) => OptionalFlag(name) ?? otherwise;

    /// <summary>Reads true or false, null when absent.</summary>
    public bool? OptionalFlag(string name)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw WrongType(name, "true or false", value.ValueKind),
        };
    }

    /// <summary>Reads a whole number within bounds, both included.</summary>
    public int? Whole(string name, int least, int most = int.MaxValue)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        long number = AsWhole(value, name);
        if (number >= least && number <= most)
            return (int)number;
        throw OutOfRange(name, number, most == int.MaxValue ? $"at least {least}" : $"between {least} and {most}");
    }

    /// <summary>Reads a number within bounds, both included.</summary>
    /// <param name="name">Field.</param>
    /// <param name="least">Lower bound.</param>
    /// <param name="most">Upper bound.</param>
    /// <param name="leastIncluded">Whether the lower bound itself is allowed.</param>
    public float? Number(string name, float least, float most, bool leastIncluded = true)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        double number = AsNumber(value, name);
        if ((leastIncluded ? number >= least : number > least) && number <= most)
            return (float)number;
        string low = leastIncluded ? $"at least {Format(least)}" : $"greater than {Format(least)}";
        throw OutOfRange(name, number, most == float.MaxValue ? low : $"{low} and at most {Format(most)}");
    }

    /// <summary>Reads a whole number of 64 bits.</summary>
    public long? LongWhole(string name) => TryGet(name, out JsonElement value) ? AsWhole(value, name) : null;

    /// <summary>Reads an object.</summary>
    public JsonElement? Object(string name)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        return value.ValueKind == JsonValueKind.Object ? value : throw WrongType(name, "an object", value.ValueKind);
    }

    /// <summary>Reads an array.</summary>
    public JsonElement? Array(string name)
    {
        if (!TryGet(name, out JsonElement value))
            return null;
        return value.ValueKind == JsonValueKind.Array ? value : throw WrongType(name, "an array", value.ValueKind);
    }

    /// <summary>Reads an array of token ids of the model.</summary>
    public IReadOnlyList<int>? TokenIds(string name, int vocabularySize) =>
        Array(name) is { } array ? AsTokenIds(array, name, vocabularySize) : null;

    /// <summary>A value as a string.</summary>
    public static string AsText(JsonElement value, string name)
    {
        if (value.ValueKind != JsonValueKind.String)
            throw WrongType(name, "a string", value.ValueKind);
        // Not null: the kind is String. Unpaired surrogates were refused with the body.
        return value.GetString()!;
    }

    /// <summary>A value as a whole number; <c>5.0</c> is one, <c>true</c> and <c>"5"</c> are not.</summary>
    public static long AsWhole(JsonElement value, string name)
    {
        if (value.ValueKind != JsonValueKind.Number)
            throw WrongType(name, "a whole number", value.ValueKind);
        if (value.TryGetInt64(out long whole))
            return whole;
        if (value.TryGetDouble(out double number) && double.IsInteger(number) && Math.Abs(number) < 1L << 53)
            return (long)number;
        throw ApiException.Invalid(name, $"'{name}' is {value.GetRawText()} and must be a whole number of 64 bits.");
    }

    /// <summary>A value as a finite number.</summary>
    public static double AsNumber(JsonElement value, string name)
    {
        if (value.ValueKind != JsonValueKind.Number)
            throw WrongType(name, "a number", value.ValueKind);
        if (value.TryGetDouble(out double number) && double.IsFinite(number))
            return number;
        throw ApiException.Invalid(name, $"'{name}' is {value.GetRawText()} and must be a finite number.");
    }

    /// <summary>An array as token ids.</summary>
    public static IReadOnlyList<int> AsTokenIds(JsonElement array, string name, int vocabularySize)
    {
        var ids = new int[array.GetArrayLength()];
        int index = 0;
        foreach (JsonElement item in array.EnumerateArray())
        {
            ids[index++] = AsTokenId(AsWhole(item, name), name, vocabularySize);
        }

        return ids;
    }

    /// <summary>A number as a token id of the model.</summary>
    public static int AsTokenId(long number, string name, int vocabularySize) =>
        number >= 0 && number < vocabularySize
            ? (int)number
            : throw OutOfRange(name, number, $"a token id between 0 and {vocabularySize - 1}");

    /// <summary>The 400 of a field of the wrong type.</summary>
    public static ApiException WrongType(string name, string needed, JsonValueKind found) =>
        ApiException.Invalid(name, $"'{name}' is {Describe(found)} and must be {needed}.", "invalid_type");

    /// <summary>The 400 of a value out of range.</summary>
    public static ApiException OutOfRange(string name, double found, string needed) =>
        ApiException.Invalid(name, $"'{name}' is {Format(found)} and must be {needed}.", "invalid_value");

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

    private static string Format(double number) => number.ToString(CultureInfo.InvariantCulture);
}
