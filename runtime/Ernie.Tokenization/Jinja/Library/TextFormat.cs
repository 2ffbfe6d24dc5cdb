using System.Globalization;
using Ernie.Text;

namespace Ernie.Tokenization.Jinja;

/// <summary>Python's <c>'…' % values</c> and <c>'…'.format(…)</c>, with plain placeholders.</summary>
internal static class TextFormat
{
    /// <summary>Fills <c>%s</c>, <c>%d</c> and <c>%%</c>.</summary>
    /// <exception cref="TemplateError">Another placeholder, or a number of values that does not fit.</exception>
    public static TextValue Percent(RenderState state, TextValue format, object? values)
    {
        List<object?> items = values is ListValue { IsTuple: true } tuple ? tuple.Items : [values];
        TextBuilder result = state.NewText();
        int used = 0, start = 0;
        string text = format.Text;
        for (int index = text.IndexOf('%'); index >= 0; index = text.IndexOf('%', start))
        {
            result.Append(format.Slice(start, index - start));
            char kind = index + 1 < text.Length ? text[index + 1] : '\0';
            if (kind == '%') result.Append("%");
            else if (kind is not ('s' or 'd')) throw new TemplateError("only %s, %d and %% are supported in a format");
            else if (used == items.Count) throw new TemplateError("the format has more placeholders than values");
            else if (kind == 'd' && !Values.IsNumber(items[used])) throw new TemplateError($"%d needs a number, not {Values.TypeName(items[used])}");
            else result.Append(Printing.ToText(state, kind == 'd' ? (long)Values.ToDouble(items[used++]) : items[used++]));
            start = index + 2;
        }

        if (used < items.Count) throw new TemplateError("the format has fewer placeholders than values");
        return state.Finish(result.Append(format.Slice(start, text.Length - start)));
    }

    /// <summary>Fills <c>{}</c>, <c>{0}</c> and <c>{name}</c>.</summary>
    /// <exception cref="TemplateError">A placeholder has a conversion or a specification, or no value.</exception>
    public static TextValue Braces(RenderState state, TextValue format, CallArguments arguments)
    {
        TextBuilder result = state.NewText();
        string text = format.Text;
        int start = 0, automatic = 0;
        while (text.AsSpan(start).IndexOfAny('{', '}') is >= 0 and int skipped)
        {
            int index = start + skipped;
            result.Append(format.Slice(start, skipped));
            if (index + 1 < text.Length && text[index + 1] == text[index])
            {
                result.Append(text[index].ToString());
                start = index + 2;
                continue;
            }

            int close = text[index] == '{' ? text.IndexOf('}', index) : -1;
            if (close < 0) throw new TemplateError("a brace in the format has no partner");
            string name = text[(index + 1)..close];
            if (name.AsSpan().IndexOfAny("!:.[") >= 0) throw new TemplateError($"the placeholder '{{{Excerpt.Of(name, 100)}}}' is not supported; '{{}}', '{{0}}' and '{{name}}' are");
            bool isNumber = int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int position);
            object? value = name.Length == 0 ? arguments.Required(automatic++, "value") : isNumber ? arguments.Required(position, name) : arguments.Required(-1, name);
            result.Append(Printing.ToText(state, value));
            start = close + 1;
        }

        arguments.Rest(0);
        return state.Finish(result.Append(format.Slice(start, text.Length - start)));
    }
}
