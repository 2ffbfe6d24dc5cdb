using System.Globalization;

namespace Ernie.Tokenization.Jinja;

/// <summary>The functions that every template can call.</summary>
internal static class GlobalFunctions
{
    private static readonly Callable[] s_functions =
    [
        new("range", Range), new("namespace", NewNamespace), new("dict", NewDictionary), new("strftime_now", FormatTime),
        new("raise_exception", (_, arguments) => throw new TemplateError(arguments.RequiredText(0, "message").Text)),
    ];

    /// <summary>The names of all functions.</summary>
    public static IEnumerable<string> Names => s_functions.Select(function => function.Name);

    /// <summary>Sets them in a scope.</summary>
    public static void AddTo(Scope scope)
    {
        foreach (Callable function in s_functions) scope.Set(function.Name, function);
    }

    private static ListValue Range(RenderState state, CallArguments arguments)
    {
        int first = Values.RequireInteger(arguments.Required(0, "start"), "range");
        int start = arguments.Count > 1 ? first : 0;
        int stop = arguments.Count > 1 ? Values.RequireInteger(arguments.Required(1, "stop"), "range") : first;
        int step = arguments.OptionalInteger(2, "step", 1);
        if (step == 0) throw new TemplateError("range: the step cannot be 0");
        long count = Math.Max(0, step > 0 ? ((long)stop - start + step - 1) / step : ((long)start - stop - step - 1) / -(long)step);
        state.Spend(count * Values.StepsPerNewItem);
        List<object?> items = new((int)count);
        for (long index = 0; index < count; index++) items.Add(start + (index * step));
        return new ListValue(items);
    }

    private static NamespaceValue NewNamespace(RenderState state, CallArguments arguments)
    {
        var space = new NamespaceValue();
        if (arguments.Count > 0 && arguments.Required(0, "mapping") is DictionaryValue source)
            foreach ((object key, object? value) in CollectionMethods.Copy(state, source).Entries) space.Attributes[key.ToString() ?? ""] = value;
        foreach ((string name, object? value) in arguments.RestNamed()) space.Attributes[name] = value;
        return space;
    }

    private static DictionaryValue NewDictionary(RenderState state, CallArguments arguments)
    {
        DictionaryValue dictionary = arguments.Count > 0 && arguments.Required(0, "mapping") is DictionaryValue source ? CollectionMethods.Copy(state, source) : new DictionaryValue();
        foreach ((string name, object? value) in arguments.RestNamed()) dictionary.Set(TextValue.OfTemplate(name), value);
        return dictionary;
    }

    private static TextValue FormatTime(RenderState state, CallArguments arguments)
    {
        TextValue format = arguments.RequiredText(0, "format");
        state.SpendText(format.Text.Length);
        TextBuilder result = state.NewText();
        for (int index = 0; index < format.Text.Length; index++)
        {
            if (format.Text[index] != '%' || index + 1 == format.Text.Length)
            {
                result.Append(format.Slice(index, 1));
                continue;
            }

            bool padded = format.Text[index + 1] != '-' || index + 2 == format.Text.Length;
            index += padded ? 1 : 2;
            string text = FormatPart(state.Now, format.Text[index]);
            result.Append(padded ? text : text.TrimStart('0') is { Length: > 0 } trimmed ? trimmed : "0");
        }

        return state.Finish(result);
    }

    // The directives of Python's strftime that chat templates use, in the C locale.
    private static string FormatPart(DateTimeOffset time, char directive) => directive switch
    {
        'Y' => time.Year.ToString("D4", CultureInfo.InvariantCulture),
        'y' => (time.Year % 100).ToString("D2", CultureInfo.InvariantCulture),
        'm' => time.Month.ToString("D2", CultureInfo.InvariantCulture),
        'd' => time.Day.ToString("D2", CultureInfo.InvariantCulture),
        'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'j' => time.DayOfYear.ToString("D3", CultureInfo.InvariantCulture),
        'H' => time.Hour.ToString("D2", CultureInfo.InvariantCulture),
        'I' => ((time.Hour + 11) % 12 + 1).ToString("D2", CultureInfo.InvariantCulture),
        'M' => time.Minute.ToString("D2", CultureInfo.InvariantCulture),
        'S' => time.Second.ToString("D2", CultureInfo.InvariantCulture),
        'p' => time.Hour < 12 ? "AM" : "PM",
        'A' => time.ToString("dddd", CultureInfo.InvariantCulture),
        'a' => time.ToString("ddd", CultureInfo.InvariantCulture),
        'B' => time.ToString("MMMM", CultureInfo.InvariantCulture),
        'b' or 'h' => time.ToString("MMM", CultureInfo.InvariantCulture),
        'F' => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        'T' => time.ToString("HH:mm:ss", CultureInfo.InvariantCulture),
        '%' => "%",
        _ => throw new TemplateError($"strftime_now does not know '%{directive}'"),
    };
}
