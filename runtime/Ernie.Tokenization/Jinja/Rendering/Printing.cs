using System.Globalization;

namespace Ernie.Tokenization.Jinja;

/// <summary>Values as text: Python's <c>str</c>, <c>repr</c> and <c>json.dumps</c>.</summary>
internal static class Printing
{
    /// <summary>What <c>{{ value }}</c> prints.</summary>
    public static TextValue ToText(RenderState state, object? value)
    {
        if (value is TextValue text) return text;
        if (value is UndefinedValue) return TextValue.Empty;
        TextBuilder result = state.NewText();
        AppendRepresentation(state, result, value);
        return state.Finish(result);
    }

    /// <summary>JSON as <c>json.dumps(value, ensure_ascii, indent, separators, sort_keys)</c> writes it; no HTML escapes, as in chat templates everywhere.</summary>
    public static TextValue ToJson(RenderState state, object? value, JsonStyle style)
    {
        TextBuilder result = state.NewText();
        AppendJson(state, result, value, style, depth: 0);
        return state.Finish(result);
    }

    private static void AppendRepresentation(RenderState state, TextBuilder result, object? value)
    {
        RenderState.GuardStack();
        state.Spend(1);
        switch (value)
        {
            case TextValue text: TextQuotes.AppendPython(state, result, text); break;
            case ListValue list: AppendList(state, result, list); break;
            case DictionaryValue dictionary: AppendDictionary(state, result, dictionary); break;
            case Callable callable: result.Append($"<function {callable.Name}>"); break;
            case NamespaceValue: result.Append("<namespace>"); break;
            case LoopValue: result.Append("<loop>"); break;
            case UndefinedValue: result.Append("Undefined"); break;
            case null: result.Append("None"); break;
            case bool boolean: result.Append(boolean ? "True" : "False"); break;
            default: result.Append(Number(value)); break;
        }
    }

    private static void AppendList(RenderState state, TextBuilder result, ListValue list)
    {
        result.Append(list.IsTuple ? "(" : "[");
        for (int index = 0; index < list.Items.Count; index++)
        {
            if (index > 0) result.Append(", ");
            AppendRepresentation(state, result, list.Items[index]);
        }

        if (list is { IsTuple: true, Items.Count: 1 }) result.Append(",");
        result.Append(list.IsTuple ? ")" : "]");
    }

    private static void AppendDictionary(RenderState state, TextBuilder result, DictionaryValue dictionary)
    {
        string separator = "{";
        foreach ((object key, object? item) in dictionary.Entries)
        {
            result.Append(separator);
            AppendRepresentation(state, result, key);
            result.Append(": ");
            AppendRepresentation(state, result, item);
            separator = ", ";
        }

        result.Append(dictionary.Count == 0 ? "{}" : "}");
    }

    private static void AppendJson(RenderState state, TextBuilder result, object? value, JsonStyle style, int depth)
    {
        RenderState.GuardStack();
        state.Spend(1);
        switch (value)
        {
            case TextValue text: TextQuotes.AppendJson(state, result, text, style.EscapesNonAscii); break;
            case ListValue list:
                AppendJsonItems(result, "[", "]", list.Items, style, depth, item => AppendJson(state, result, item, style, depth + 1));
                break;
            case DictionaryValue dictionary:
                IEnumerable<KeyValuePair<object, object?>> entries = style.SortsKeys ? dictionary.Entries.OrderBy(entry => entry.Key as TextValue ?? TextValue.OfTemplate(JsonScalar(entry.Key)), new ValueOrder(state)) : dictionary.Entries;
                AppendJsonItems(result, "{", "}", [.. entries], style, depth, entry =>
                {
                    AppendJson(state, result, entry.Key is TextValue ? entry.Key : TextValue.OfTemplate(JsonScalar(entry.Key)), style, depth + 1);
                    result.Append(style.KeySeparator);
                    AppendJson(state, result, entry.Value, style, depth + 1);
                });
                break;
            default: result.Append(JsonScalar(value)); break;
        }
    }

    private static void AppendJsonItems<T>(TextBuilder result, string open, string close, List<T> items, JsonStyle style, int depth, Action<T> append)
    {
        result.Append(open);
        for (int index = 0; index < items.Count; index++)
        {
            if (index > 0) result.Append(style.ItemSeparator);
            if (style.Indent is { } indent) AppendLine(result, indent, depth + 1);
            append(items[index]);
        }

        if (style.Indent is { } closing && items.Count > 0) AppendLine(result, closing, depth);
        result.Append(close);
    }

    private static void AppendLine(TextBuilder result, string indent, int depth)
    {
        result.Append("\n");
        for (int level = 0; level < depth; level++) result.Append(indent);
    }

    private static string JsonScalar(object? value) => value switch
    {
        null => "null",
        true => "true",
        false => "false",
        long or double => Number(value),
        _ => throw new TemplateError($"{Values.TypeName(value)} has no JSON form"),
    };

    private static string Number(object value) => value is double number ? Values.FormatDouble(number) : Values.ToLong(value).ToString(CultureInfo.InvariantCulture);
}
