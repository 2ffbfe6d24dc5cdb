using System.Globalization;

namespace Ernie.Tokenization.Jinja;

/// <summary>The filters behind <c>|</c>.</summary>
internal static class FilterLibrary
{
    private static readonly JsonStyle s_compactJson = new(null, ", ", ": ", EscapesNonAscii: false, SortsKeys: false);

    private static readonly Dictionary<string, Filter> s_filters = new(StringComparer.Ordinal)
    {
        ["trim"] = (state, value, arguments) => TextMethods.Strip(Printing.ToText(state, value), arguments.OptionalText(0, "chars"), left: true, right: true),
        ["upper"] = (state, value, _) => Printing.ToText(state, value) is var text ? text.With(text.Text.ToUpperInvariant()) : null,
        ["lower"] = (state, value, _) => Printing.ToText(state, value) is var text ? text.With(text.Text.ToLowerInvariant()) : null,
        ["title"] = (state, value, _) => TextMethods.Title(Printing.ToText(state, value)),
        ["capitalize"] = (state, value, _) => TextMethods.Capitalize(Printing.ToText(state, value)),
        ["replace"] = (state, value, arguments) => TextMethods.Replace(state, Printing.ToText(state, value), arguments.RequiredText(0, "old"), arguments.RequiredText(1, "new"), arguments.OptionalInteger(2, "count", -1)),
        ["string"] = (state, value, _) => Printing.ToText(state, value),
        ["safe"] = (state, value, _) => Printing.ToText(state, value),
        ["format"] = (state, value, arguments) => TextFormat.Percent(state, Values.RequireText(value, arguments.Callee), new ListValue(arguments.Rest(0), isTuple: true)),
        ["indent"] = Indent,
        ["wordcount"] = (_, value, arguments) => CountWords(Values.RequireText(value, arguments.Callee).Text),
        ["tojson"] = ToJson,
        ["length"] = (_, value, _) => (long)Values.Count(value),
        ["count"] = (_, value, _) => (long)Values.Count(value),
        ["default"] = Default,
        ["d"] = Default,
        ["int"] = (_, value, arguments) => ToInteger(value, arguments.Optional(0, "default", 0L)),
        ["float"] = (_, value, arguments) => ToFloat(value, arguments.Optional(0, "default", 0.0)),
        ["abs"] = (_, value, _) => value switch { double number => (object)Math.Abs(number), long integer and not long.MinValue => Math.Abs(integer), _ => throw new TemplateError($"abs needs a number, not {Values.TypeName(value)}") },
        ["round"] = (state, value, arguments) => Round(value, arguments),
        ["attr"] = (state, value, arguments) => Attributes.GetItem(state, value, arguments.RequiredText(0, "name")),
    };

    /// <summary>The names of all filters.</summary>
    public static IEnumerable<string> Names => s_filters.Keys.Concat(SequenceFilters.Names);

    /// <summary>Finds a filter, or null. Whatever it does, it counts the strings that it is given.</summary>
    public static Filter? Find(string name) => (s_filters.GetValueOrDefault(name) ?? SequenceFilters.Find(name)) is not { } filter ? null : (state, value, arguments) =>
    {
        state.SpendText(value);
        arguments.Spend(state);
        return filter(state, value, arguments);
    };

    private static object? Default(RenderState state, object? value, CallArguments arguments)
    {
        object? fallback = arguments.Optional(0, "default_value", TextValue.Empty);
        bool replacesFalse = Values.IsTrue(arguments.Optional(1, "boolean"));
        return value is UndefinedValue || (replacesFalse && !Values.IsTrue(value)) ? fallback : value;
    }

    private static TextValue Indent(RenderState state, object? value, CallArguments arguments)
    {
        TextValue text = Values.RequireText(value, arguments.Callee);
        object? width = arguments.Optional(0, "width", 4L);
        TextValue indent = width as TextValue ?? TextValue.OfTemplate(new string(' ', Math.Clamp(Values.RequireInteger(width, arguments.Callee), 0, 1024)));
        bool indentsFirst = Values.IsTrue(arguments.Optional(1, "first")), indentsBlank = Values.IsTrue(arguments.Optional(2, "blank"));
        TextBuilder result = state.NewText();
        for (int start = 0, line = 0; start <= text.Text.Length; line++)
        {
            int end = text.Text.IndexOf('\n', start) is >= 0 and int found ? found : text.Text.Length;
            if (line > 0) result.Append("\n");
            if (line == 0 ? indentsFirst : indentsBlank || end > start) result.Append(indent);
            result.Append(text.Slice(start, end - start));
            start = end + 1;
        }

        return state.Finish(result);
    }

    private static long CountWords(string text)
    {
        long count = 0;
        for (int index = 0; index < text.Length; index++)
            if (!char.IsWhiteSpace(text[index]) && (index == 0 || char.IsWhiteSpace(text[index - 1]))) count++;
        return count;
    }

    private static TextValue ToJson(RenderState state, object? value, CallArguments arguments)
    {
        bool escapes = Values.IsTrue(arguments.Optional(1, "ensure_ascii"));
        object? indent = arguments.Optional(0, "indent");
        string? indentText = indent switch { null => null, TextValue text => text.Text, _ => new string(' ', Math.Clamp(Values.RequireInteger(indent, arguments.Callee), 0, 1024)) };
        JsonStyle style = s_compactJson with { EscapesNonAscii = escapes, Indent = indentText, ItemSeparator = indentText is null ? ", " : ",", SortsKeys = Values.IsTrue(arguments.Optional(3, "sort_keys")) };
        if (arguments.Optional(2, "separators") is { } separators)
        {
            if (separators is not ListValue { Items: [TextValue item, TextValue key] }) throw new TemplateError("tojson: 'separators' needs two strings");
            style = style with { ItemSeparator = item.Text, KeySeparator = key.Text };
        }

        return Printing.ToJson(state, value, style);
    }

    private static object? ToInteger(object? value, object? fallback) => value switch
    {
        long or bool => Values.ToLong(value),
        double number when Math.Abs(number) < 9e18 => (long)number,
        TextValue text when long.TryParse(text.Text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long integer) => integer,
        TextValue text when double.TryParse(text.Text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && Math.Abs(number) < 9e18 => (long)number,
        _ => fallback,
    };

    private static object? ToFloat(object? value, object? fallback) => value switch
    {
        long or bool or double => Values.ToDouble(value),
        TextValue text when double.TryParse(text.Text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) => number,
        _ => fallback,
    };

    private static double Round(object? value, CallArguments arguments)
    {
        if (!Values.IsNumber(value)) throw new TemplateError($"round needs a number, not {Values.TypeName(value)}");
        int digits = arguments.OptionalInteger(0, "precision", 0);
        string method = arguments.OptionalText(1, "method")?.Text ?? "common";
        double scale = Math.Pow(10, digits), number = Values.ToDouble(value);
        return method switch
        {
            "common" => digits is >= 0 and <= 15 ? Math.Round(number, digits, MidpointRounding.ToEven) : Math.Round(number * scale) / scale,
            "ceil" => Math.Ceiling(number * scale) / scale,
            "floor" => Math.Floor(number * scale) / scale,
            _ => throw new TemplateError("round: the method is 'common', 'ceil' or 'floor'"),
        };
    }
}
