using System.Globalization;
using System.Text;

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
        AppendRepresentation(result, value);
        return state.Finish(result);
    }

    /// <summary>JSON as <c>json.dumps(value, ensure_ascii, indent, separators, sort_keys)</c> writes it; no HTML escapes, as in chat templates everywhere.</summary>
    public static TextValue ToJson(RenderState state, object? value, JsonStyle style)
    {
        TextBuilder result = state.NewText();
        AppendJson(result, value, style, depth: 0);
        return state.Finish(result);
    }

    private static void AppendRepresentation(TextBuilder result, object? value)
    {
        RenderState.GuardStack();
        switch (value)
        {
            case TextValue text: result.Append(text.Derive(Quote(text.Text))); break;
            case ListValue list: AppendList(result, list); break;
            case DictionaryValue dictionary: AppendDictionary(result, dictionary); break;
            case Callable callable: result.Append($"<function {callable.Name}>"); break;
            case NamespaceValue: result.Append("<namespace>"); break;
            case LoopValue: result.Append("<loop>"); break;
            case UndefinedValue: result.Append("Undefined"); break;
            case null: result.Append("None"); break;
            case bool boolean: result.Append(boolean ? "True" : "False"); break;
            default: result.Append(Number(value)); break;
        }
    }

    private static void AppendList(TextBuilder result, ListValue list)
    {
        result.Append(list.IsTuple ? "(" : "[");
        for (int index = 0; index < list.Items.Count; index++)
        {
            if (index > 0) result.Append(", ");
            AppendRepresentation(result, list.Items[index]);
        }

        if (list is { IsTuple: true, Items.Count: 1 }) result.Append(",");
        result.Append(list.IsTuple ? ")" : "]");
    }

    private static void AppendDictionary(TextBuilder result, DictionaryValue dictionary)
    {
        string separator = "{";
        foreach ((object key, object? item) in dictionary.Entries)
        {
            result.Append(separator);
            AppendRepresentation(result, key);
            result.Append(": ");
            AppendRepresentation(result, item);
            separator = ", ";
        }

        result.Append(dictionary.Count == 0 ? "{}" : "}");
    }

    private static void AppendJson(TextBuilder result, object? value, JsonStyle style, int depth)
    {
        RenderState.GuardStack();
        switch (value)
        {
            case TextValue text: result.Append("\"").Append(text.Derive(Escape(text.Text, style.EscapesNonAscii))).Append("\""); break;
            case ListValue list:
                AppendJsonItems(result, "[", "]", list.Items, style, depth, item => AppendJson(result, item, style, depth + 1));
                break;
            case DictionaryValue dictionary:
                IEnumerable<KeyValuePair<object, object?>> entries = style.SortsKeys ? dictionary.Entries.OrderBy(entry => entry.Key.ToString(), StringComparer.Ordinal) : dictionary.Entries;
                AppendJsonItems(result, "{", "}", [.. entries], style, depth, entry =>
                {
                    AppendJson(result, entry.Key is TextValue ? entry.Key : TextValue.OfTemplate(JsonScalar(entry.Key)), style, depth + 1);
                    result.Append(style.KeySeparator);
                    AppendJson(result, entry.Value, style, depth + 1);
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
            if (style.Indent is { } indent) result.Append(Line(indent, depth + 1));
            append(items[index]);
        }

        if (style.Indent is { } closing && items.Count > 0) result.Append(Line(closing, depth));
        result.Append(close);
    }

    private static string Line(string indent, int depth) => "\n" + string.Concat(Enumerable.Repeat(indent, depth));

    private static string JsonScalar(object? value) => value switch
    {
        null => "null",
        true => "true",
        false => "false",
        long or double => Number(value),
        _ => throw new TemplateError($"{Values.TypeName(value)} has no JSON form"),
    };

    private static string Number(object value) => value is double number ? Values.FormatDouble(number) : Values.ToLong(value).ToString(CultureInfo.InvariantCulture);

    private static string Quote(string text)
    {
        char quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        var result = new StringBuilder().Append(quote);
        foreach (char next in text)
        {
            result.Append(next switch
            {
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ when next == quote => "\\" + next,
                < ' ' or '\x7F' => $"\\x{(int)next:x2}",
                _ => next.ToString(),
            });
        }

        return result.Append(quote).ToString();
    }

    private static string Escape(string text, bool escapesNonAscii)
    {
        var result = new StringBuilder(text.Length);
        foreach (char next in text)
        {
            switch (next)
            {
                case '"': result.Append("\\\""); break;
                case '\\': result.Append("\\\\"); break;
                case '\n': result.Append("\\n"); break;
                case '\r': result.Append("\\r"); break;
                case '\t': result.Append("\\t"); break;
                case '\b': result.Append("\\b"); break;
                case '\f': result.Append("\\f"); break;
                case < ' ': result.Append(CultureInfo.InvariantCulture, $"\\u{(int)next:x4}"); break;
                case > '~' when escapesNonAscii: result.Append(CultureInfo.InvariantCulture, $"\\u{(int)next:x4}"); break;
                default: result.Append(next); break;
            }
        }

        return result.ToString();
    }
}
