using System.Globalization;
using System.Text.Json;

namespace Ernie.Tokenization.Jinja;

/// <summary>What a template's values are: null (none), bool, long, double, <see cref="TextValue"/>, <see cref="ListValue"/>, <see cref="DictionaryValue"/>, <see cref="NamespaceValue"/>, <see cref="LoopValue"/>, <see cref="Callable"/>, <see cref="UndefinedValue"/>.</summary>
internal static class Values
{
    /// <summary>What an item costs that is an object of its own: up to a hundred bytes.</summary>
    public const int StepsPerNewItem = 8;

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

    /// <summary>Python's equality; counts every pair that is compared.</summary>
    public static bool AreEqual(RenderState state, object? left, object? right)
    {
        RenderState.GuardStack();
        state.Spend(1);
        switch (left, right)
        {
            case (null, null) or (UndefinedValue, UndefinedValue): return true;
            case (TextValue a, TextValue b):
                if (a.Text.Length != b.Text.Length) return false;
                state.SpendText(a.Text.Length);
                return a.Equals(b);
            case (ListValue a, ListValue b): return a.IsTuple == b.IsTuple && a.Items.Count == b.Items.Count && !a.Items.Where((item, index) => !AreEqual(state, item, b.Items[index])).Any();
            case (DictionaryValue a, DictionaryValue b): return a.Count == b.Count && a.Entries.All(entry => HasEqual(state, b, entry));
            case var _ when IsNumber(left) && IsNumber(right): return left is double || right is double ? ToDouble(left) == ToDouble(right) : ToLong(left) == ToLong(right);
            default: return ReferenceEquals(left, right);
        }
    }

    /// <summary>Orders numbers, strings and lists; counts every pair that is compared.</summary>
    /// <exception cref="TemplateError">They have no order.</exception>
    public static int Compare(RenderState state, object? left, object? right)
    {
        RenderState.GuardStack();
        state.Spend(1);
        if (IsNumber(left) && IsNumber(right)) return left is double || right is double ? ToDouble(left).CompareTo(ToDouble(right)) : ToLong(left).CompareTo(ToLong(right));
        if (left is TextValue leftText && right is TextValue rightText)
        {
            state.SpendText(Math.Min(leftText.Text.Length, rightText.Text.Length));
            return string.CompareOrdinal(leftText.Text, rightText.Text);
        }

        if (left is not ListValue leftList || right is not ListValue rightList) throw new TemplateError($"{TypeName(left)} and {TypeName(right)} cannot be ordered");
        for (int index = 0; index < Math.Min(leftList.Items.Count, rightList.Items.Count); index++)
            if (Compare(state, leftList.Items[index], rightList.Items[index]) is not 0 and int order) return order;
        return leftList.Items.Count.CompareTo(rightList.Items.Count);
    }

    /// <summary>The items of a list, the keys of a dictionary, the characters of a string. Counts what it makes; who reads a list counts its items.</summary>
    /// <exception cref="TemplateError">It has no items.</exception>
    public static List<object?> Items(RenderState state, object? value)
    {
        switch (value)
        {
            case ListValue list: return list.Items;
            case DictionaryValue dictionary:
                state.Spend(dictionary.Count);
                return [.. dictionary.Entries.Select(entry => (object?)entry.Key)];
            case TextValue text:
                state.Spend((long)text.Count * StepsPerNewItem);
                return [.. Enumerable.Range(0, text.Count).Select(index => (object?)text.Range(index, 1, 1))];
            case UndefinedValue: return [];
            default: throw new TemplateError($"{TypeName(value)} has no items to go through");
        }
    }

    /// <summary>Whether <c>in</c> finds an item, a key or a part of a string; counts what it looks at.</summary>
    public static bool Contains(RenderState state, object? container, object? item)
    {
        switch (container)
        {
            case TextValue text: return TextSearch.Holds(state, text, RequireText(item, "'in' on a string"));
            case DictionaryValue dictionary:
                state.SpendText(item);
                return dictionary.TryGet(item, out _);
            default: return Items(state, container).Exists(other => AreEqual(state, other, item));
        }
    }

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

    private static bool HasEqual(RenderState state, DictionaryValue dictionary, KeyValuePair<object, object?> entry)
    {
        state.SpendText(entry.Key);
        return dictionary.TryGet(entry.Key, out object? other) && AreEqual(state, entry.Value, other);
    }

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
