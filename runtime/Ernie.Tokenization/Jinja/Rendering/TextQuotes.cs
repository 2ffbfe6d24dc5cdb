using System.Globalization;

namespace Ernie.Tokenization.Jinja;

/// <summary>Strings as Python and JSON quote them. What came from the request stays known: an escape counts as the request's when its string holds any of the request's text.</summary>
internal static class TextQuotes
{
    /// <summary>Python's <c>repr</c>.</summary>
    public static void AppendPython(RenderState state, TextBuilder result, TextValue value)
    {
        state.SpendText(value.Text.Length);
        char quote = value.Text.Contains('\'') && !value.Text.Contains('"') ? '"' : '\'';
        int start = result.Length;
        result.Append(quote);
        foreach (char next in value.Text)
        {
            string? escape = next switch
            {
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ when next == quote => "\\" + next,
                < ' ' or '\x7F' => $"\\x{(int)next:x2}",
                _ => null,
            };
            if (escape is null) result.Append(next);
            else result.Append(escape);
        }

        result.Append(quote);
        if (value.Content.Length > 0) result.Mark(start);
    }

    /// <summary>A string of JSON.</summary>
    public static void AppendJson(RenderState state, TextBuilder result, TextValue value, bool escapesNonAscii)
    {
        state.SpendText(value.Text.Length);
        result.Append('"');
        int start = result.Length;
        foreach (char next in value.Text)
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
                case < ' ': result.Append(Hexadecimal(next)); break;
                case > '~' when escapesNonAscii: result.Append(Hexadecimal(next)); break;
                default: result.Append(next); break;
            }
        }

        if (value.Content.Length > 0) result.Mark(start);
        result.Append('"');
    }

    private static string Hexadecimal(char value) => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)value:x4}");
}
