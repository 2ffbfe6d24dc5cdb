using System.Text.Json;
using Ernie.Server.Errors;

namespace Ernie.Server.Validation.Fields;

/// <summary>A field's value and its checked forms. Each form throws an <see cref="ApiException"/>, a 400 that names the field and says what it takes.</summary>
/// <param name="Name">The field, or the place inside it.</param>
/// <param name="Json">The value; never null.</param>
internal readonly record struct FieldValue(string Name, JsonElement Json)
{
    /// <summary>A string.</summary>
    // Not null: the kind is String. Unpaired surrogates were refused with the body.
    public string Text() => Json.ValueKind == JsonValueKind.String ? Json.GetString()! : throw FieldError.WrongType(Name, "a string", Json.ValueKind);

    /// <summary>A string of bounded length, not empty.</summary>
    public string Text(int longest)
    {
        string text = Text();
        if (text.Length is 0 || text.Length > longest)
            throw ApiException.Invalid(Name, $"'{Name}' has {text.Length} characters and must have 1 to {longest}.", "invalid_value");
        return text;
    }

    /// <summary>true or false.</summary>
    public bool Flag() => Json.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw FieldError.WrongType(Name, "true or false", Json.ValueKind),
    };

    /// <summary>A whole number of 64 bits; <c>5.0</c> is one, <c>true</c> and <c>"5"</c> are not.</summary>
    public long Long()
    {
        if (Json.ValueKind != JsonValueKind.Number)
            throw FieldError.WrongType(Name, "a whole number", Json.ValueKind);
        if (Json.TryGetInt64(out long whole))
            return whole;
        if (Json.TryGetDouble(out double number) && double.IsInteger(number) && Math.Abs(number) < 1L << 53)
            return (long)number;
        throw ApiException.Invalid(Name, $"'{Name}' is {Json.GetRawText()} and must be a whole number of 64 bits.", "invalid_value");
    }

    /// <summary>A whole number within bounds, both included.</summary>
    public int Whole(int least, int most = int.MaxValue)
    {
        long number = Long();
        return number >= least && number <= most ? (int)number : throw FieldError.OutOfRange(Name, number, FieldError.Range(least, most));
    }

    /// <summary>A finite number within bounds.</summary>
    /// <param name="least">Lower bound.</param>
    /// <param name="most">Upper bound, included.</param>
    /// <param name="leastIncluded">Whether the lower bound itself is allowed.</param>
    public float Number(float least, float most = float.MaxValue, bool leastIncluded = true)
    {
        double number = Double();
        return (leastIncluded ? number >= least : number > least) && number <= most
            ? (float)number
            : throw FieldError.OutOfRange(Name, number, leastIncluded ? FieldError.Range(least, most) : $"above {FieldError.Format(least)} and at most {FieldError.Format(most)}");
    }

    /// <summary>A finite number.</summary>
    public double Double()
    {
        if (Json.ValueKind != JsonValueKind.Number)
            throw FieldError.WrongType(Name, "a number", Json.ValueKind);
        if (Json.TryGetDouble(out double number) && double.IsFinite(number))
            return number;
        throw ApiException.Invalid(Name, $"'{Name}' is {Json.GetRawText()} and must be a finite number.", "invalid_value");
    }

    /// <summary>An object.</summary>
    public JsonElement Map() => Json.ValueKind == JsonValueKind.Object ? Json : throw FieldError.WrongType(Name, "an object", Json.ValueKind);

    /// <summary>An array of bounded length.</summary>
    public JsonElement List(int most) => List(most, "an array");

    /// <summary>An array of bounded length.</summary>
    /// <param name="most">Entries at most.</param>
    /// <param name="needed">What is needed, for the error of another type.</param>
    public JsonElement List(int most, string needed)
    {
        if (Json.ValueKind != JsonValueKind.Array)
            throw FieldError.WrongType(Name, needed, Json.ValueKind);
        FieldError.CheckCount(Name, Json.GetArrayLength(), most);
        return Json;
    }

    /// <summary>An array of strings of bounded length.</summary>
    public List<string> Texts(int most)
    {
        JsonElement list = List(most, "an array of strings");
        var texts = new List<string>(list.GetArrayLength());
        foreach (JsonElement item in list.EnumerateArray())
            texts.Add(new FieldValue(Name, item).Text());
        return texts;
    }

    /// <summary>An array of token ids of bounded length.</summary>
    public int[] TokenIds(int vocabularySize, int most)
    {
        JsonElement list = List(most, "an array of token ids");
        var ids = new int[list.GetArrayLength()];
        int index = 0;
        foreach (JsonElement item in list.EnumerateArray())
            ids[index++] = new FieldValue(Name, item).TokenId(vocabularySize);
        return ids;
    }

    /// <summary>A token id of the model.</summary>
    public int TokenId(int vocabularySize) => FieldError.CheckTokenId(Name, Long(), vocabularySize);
}
