using System.Globalization;
using System.Text.Json;

namespace Ernie.Tokenization.Jinja;

/// <summary>What a template's values are: null (none), bool, long, double, <see cref="TextValue"/>, <see cref="ListValue"/>, <see cref="DictionaryValue"/>, <see cref="NamespaceValue"/>, <see cref="LoopValue"/>, <see cref="Callable"/>, <see cref="UndefinedValue"/>.</summary>
internal static class Values
{
    /// <summary>Turns JSON of a request into a value.</summary>
    public static object? FromJson(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String: return TextValue.OfRequest(element.GetString() ?? "");
            case JsonValueKind.Number: return element.TryGetInt64(out long integer) ? (object)integer : element.GetDouble();
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            case JsonValueKind.Array: return new ListValue([.. element.EnumerateArray().Select(FromJson)]);
            case JsonValueKind.Object:
                var dictionary = new DictionaryValue();
                foreach (JsonProperty property in element.EnumerateObject()) dictionary.Set(TextValue.OfRequest(property.Name), FromJson(property.Value));
                return dictionary;
            default: return null;
        }
    }

    /// <summary>Python's truth.</summary>
    public static bool IsTrue(object? value) => value switch
    {
        null or UndefinedValue => false,
        bool boolean => boolean,
        long integer => integer != 0,
        double number => number != 0,
        TextValue text => text.Text.Length > 0,
        ListValue list => list.Items.Count > 0,
        DictionaryValue dictionary => dictionary.Count > 0,
        _ => true,
    };

    /// <summary>Python's equality.</summary>
    public static bool AreEqual(object? left, object? right)
    {
        RenderState.GuardStack();
        return (left, right) switch
        {
            (null, null) or (UndefinedValue, UndefinedValue) => true,
            (TextValue a, TextValue b) => a.Equals(b),
            (ListValue a, ListValue b) => a.IsTuple == b.IsTuple && a.Items.Count == b.Items.Count && !a.Items.Where((item, index) => !AreEqual(item, b.Items[index])).Any(),
            (DictionaryValue a, DictionaryValue b) => a.Count == b.Count && a.Entries.All(entry => b.TryGet(entry.Key, out object? other) && AreEqual(entry.Value, other)),
            _ when IsNumber(left) && IsNumber(right) => left is double || right is double ? ToDouble(left) == ToDouble(right) : ToLong(left) == ToLong(right),
            _ => ReferenceEquals(left, right),
        };
    }

    /// <summary>Orders numbers, strings and lists.</summary>
    /// <exception cref="TemplateError">They have no order.</exception>
    public static int Compare(object? left, object? right)
    {
        RenderState.GuardStack();
        if (IsNumber(left) && IsNumber(right)) return left is double || right is double ? ToDouble(left).CompareTo(ToDouble(right)) : ToLong(left).CompareTo(ToLong(right));
        if (left is TextValue leftText && right is TextValue rightText) return string.CompareOrdinal(leftText.Text, rightText.Text);
        if (left is not ListValue leftList || right is not ListValue rightList) throw new TemplateError($"{TypeName(left)} and {TypeName(right)} cannot be ordered");
        for (int index = 0; index < Math.Min(leftList.Items.Count, rightList.Items.Count); index++)
            if (Compare(leftList.Items[index], rightList.Items[index]) is not 0 and int order) return order;
        return leftList.Items.Count.CompareTo(rightList.Items.Count);
    }

    /// <summary>The items of a list, the keys of a dictionary, the characters of a string.</summary>
    /// <exception cref="TemplateError">It has no items.</exception>
    public static List<object?> Items(object? value) => value switch
    {
        ListValue list => list.Items,
        DictionaryValue dictionary => [.. dictionary.Entries.Select(entry => (object?)entry.Key)],
        TextValue text => [.. Enumerable.Range(0, text.Count).Select(index => (object?)text.Range(index, 1, 1))],
        UndefinedValue => [],
        _ => throw new TemplateError($"{TypeName(value)} has no items to go through"),
    };

    /// <summary>Whether <c>in</c> finds an item, a key or a part of a string.</summary>
    public static bool Contains(object? container, object? item) => container switch
    {
        TextValue text => text.Text.Contains(RequireText(item, "'in' on a string").Text, StringComparison.Ordinal),
        DictionaryValue dictionary => dictionary.TryGet(item, out _),
        _ => Items(container).Exists(other => AreEqual(other, item)),
    };

    /// <summary>Number of items, keys or characters.</summary>
    /// <exception cref="TemplateError">It has none.</exception>
    public static int Count(object? value) => value switch
    {
        TextValue text => text.Count,
        ListValue list => list.Items.Count,
        DictionaryValue dictionary => dictionary.Count,
        UndefinedValue => 0,
        _ => throw new TemplateError($"{TypeName(value)} has no length"),
    };

    /// <summary>Python's name of a value's type, for errors.</summary>
    public static string TypeName(object? value) => value switch
    {
        null => "none",
        bool => "a boolean",
        long => "an integer",
        double => "a float",
        TextValue => "a string",
        ListValue { IsTuple: true } => "a tuple",
        ListValue => "a list",
        DictionaryValue => "a dictionary",
        NamespaceValue => "a namespace",
        Callable => "a function",
        UndefinedValue undefined => $"an undefined value ({undefined.Description})",
        _ => "the loop",
    };

    /// <summary>Whether it is an integer, float or boolean.</summary>
    public static bool IsNumber(object? value) => value is long or double or bool;

    /// <summary>A number as a float.</summary>
    public static double ToDouble(object? value) => value switch { double number => number, long integer => integer, true => 1, _ => 0 };

    /// <summary>An integer or boolean as an integer.</summary>
    public static long ToLong(object? value) => value switch { long integer => integer, true => 1, _ => 0 };

    /// <summary>A string, or an error that says who needed one.</summary>
    public static TextValue RequireText(object? value, string who) => value as TextValue ?? throw new TemplateError($"{who} needs a string, not {TypeName(value)}");

    /// <summary>An integer of 32 bits, or an error that says who needed one.</summary>
    public static int RequireInteger(object? value, string who) =>
        value is long or bool && ToLong(value) is >= int.MinValue and <= int.MaxValue and long integer ? (int)integer : throw new TemplateError($"{who} needs an integer, not {TypeName(value)}");

    /// <summary>Python's <c>repr</c> of a float.</summary>
    public static string FormatDouble(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        string text = value.ToString("R", CultureInfo.InvariantCulture);
        // Python writes numbers from 1e-4 to 1e16 without an exponent, .NET only up to 1e15.
        if (text.Contains('E') && Math.Abs(value) is >= 1e-4 and < 1e16) text = value.ToString("F0", CultureInfo.InvariantCulture);
        text = text.Replace('E', 'e');
        return text.Contains('.') || text.Contains('e') ? text : text + ".0";
    }
}
