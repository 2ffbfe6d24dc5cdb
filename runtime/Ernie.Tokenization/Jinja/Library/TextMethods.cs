namespace Ernie.Tokenization.Jinja;

/// <summary>The methods of strings.</summary>
internal static class TextMethods
{
    private static readonly Dictionary<string, Method<TextValue>> s_methods = new(StringComparer.Ordinal)
    {
        ["strip"] = (_, text, arguments) => Strip(text, arguments.OptionalText(0, "chars"), left: true, right: true),
        ["lstrip"] = (_, text, arguments) => Strip(text, arguments.OptionalText(0, "chars"), left: true, right: false),
        ["rstrip"] = (_, text, arguments) => Strip(text, arguments.OptionalText(0, "chars"), left: false, right: true),
        ["split"] = (state, text, arguments) => TextSplitting.Split(state, text, arguments.OptionalText(0, "sep"), arguments.OptionalInteger(1, "maxsplit", -1)),
        ["rsplit"] = (state, text, arguments) => TextSplitting.SplitFromRight(state, text, arguments.RequiredText(0, "sep"), arguments.OptionalInteger(1, "maxsplit", -1)),
        ["splitlines"] = (state, text, arguments) => TextSplitting.SplitLines(state, text, Values.IsTrue(arguments.Optional(0, "keepends"))),
        ["startswith"] = (state, text, arguments) => Any(state, arguments, prefix => text.Text.StartsWith(prefix, StringComparison.Ordinal)),
        ["endswith"] = (state, text, arguments) => Any(state, arguments, suffix => text.Text.EndsWith(suffix, StringComparison.Ordinal)),
        ["removeprefix"] = (_, text, arguments) => arguments.RequiredText(0, "prefix") is var prefix && text.Text.StartsWith(prefix.Text, StringComparison.Ordinal) ? text.Slice(prefix.Text.Length, text.Text.Length - prefix.Text.Length) : text,
        ["removesuffix"] = (_, text, arguments) => arguments.RequiredText(0, "suffix") is var suffix && text.Text.EndsWith(suffix.Text, StringComparison.Ordinal) ? text.Slice(0, text.Text.Length - suffix.Text.Length) : text,
        ["upper"] = (_, text, _) => text.With(text.Text.ToUpperInvariant()),
        ["lower"] = (_, text, _) => text.With(text.Text.ToLowerInvariant()),
        ["title"] = (_, text, _) => Title(text),
        ["capitalize"] = (_, text, _) => Capitalize(text),
        ["replace"] = (state, text, arguments) => Replace(state, text, arguments.RequiredText(0, "old"), arguments.RequiredText(1, "new"), arguments.OptionalInteger(2, "count", -1)),
        ["find"] = (state, text, arguments) => Find(state, text, arguments, fromEnd: false),
        ["rfind"] = (state, text, arguments) => Find(state, text, arguments, fromEnd: true),
        ["index"] = (state, text, arguments) => Find(state, text, arguments, fromEnd: false) is >= 0 and long index ? index : throw new TemplateError("the part is not found"),
        ["count"] = (state, text, arguments) => Count(state, text, arguments.RequiredText(0, "sub")),
        ["join"] = (state, text, arguments) => Join(state, text, Values.Items(state, arguments.Required(0, "iterable"))),
        ["format"] = TextFormat.Braces,
        ["isdigit"] = (_, text, _) => All(text, char.IsDigit),
        ["isnumeric"] = (_, text, _) => All(text, char.IsNumber),
        ["isalpha"] = (_, text, _) => All(text, char.IsLetter),
        ["isalnum"] = (_, text, _) => All(text, char.IsLetterOrDigit),
        ["isspace"] = (_, text, _) => All(text, char.IsWhiteSpace),
        ["isupper"] = (_, text, _) => text.Text.Any(char.IsUpper) && !text.Text.Any(char.IsLower),
        ["islower"] = (_, text, _) => text.Text.Any(char.IsLower) && !text.Text.Any(char.IsUpper),
    };

    /// <summary>The names of all methods.</summary>
    public static IEnumerable<string> Names => s_methods.Keys;

    /// <summary>Finds a method. Whatever it does, a call counts the string.</summary>
    /// <returns>The method bound to the string, or null.</returns>
    public static Callable? Find(TextValue text, string name) => !s_methods.TryGetValue(name, out Method<TextValue>? method) ? null : new Callable(name, (state, arguments) =>
    {
        state.SpendText(text.Text.Length);
        return method(state, text, arguments);
    });

    /// <summary>Takes white space, or the characters given, from the ends.</summary>
    public static TextValue Strip(TextValue text, TextValue? characters, bool left, bool right)
    {
        HashSet<char>? given = characters is null ? null : [.. characters.Text];
        bool Strips(char value) => given?.Contains(value) ?? char.IsWhiteSpace(value);
        int start = 0, end = text.Text.Length;
        while (left && start < end && Strips(text.Text[start])) start++;
        while (right && end > start && Strips(text.Text[end - 1])) end--;
        return text.Slice(start, end - start);
    }

    /// <summary>Replaces a part wherever it stands, at most so many times; −1 is always.</summary>
    public static TextValue Replace(RenderState state, TextValue text, TextValue old, TextValue replacement, int count)
    {
        // Python puts the replacement between all characters when the part is empty.
        if (old.Text.Length == 0) throw new TemplateError("replace needs a part that is not empty");
        TextBuilder result = state.NewText();
        var search = new TextSearch(state, old);
        int start = 0;
        for (int found; count != 0 && (found = search.Find(text.Text.AsSpan(start))) >= 0; count--)
        {
            result.Append(text.Slice(start, found)).Append(replacement);
            start += found + search.Length;
        }

        return start == 0 ? text : state.Finish(result.Append(text.Slice(start, text.Text.Length - start)));
    }

    /// <summary>Joins items as text.</summary>
    public static TextValue Join(RenderState state, TextValue separator, IEnumerable<object?> items)
    {
        TextBuilder result = state.NewText();
        bool isFirst = true;
        foreach (object? item in items)
        {
            if (!isFirst) result.Append(separator);
            result.Append(Printing.ToText(state, item));
            isFirst = false;
        }

        return state.Finish(result);
    }

    /// <summary>First letter of every word upper case, the rest lower.</summary>
    public static TextValue Title(TextValue text)
    {
        char[] characters = text.Text.ToCharArray();
        for (int index = 0; index < characters.Length; index++)
        {
            bool begins = index == 0 || !char.IsLetter(characters[index - 1]);
            characters[index] = begins ? char.ToUpperInvariant(characters[index]) : char.ToLowerInvariant(characters[index]);
        }

        return text.With(new string(characters));
    }

    /// <summary>First letter upper case, the rest lower.</summary>
    public static TextValue Capitalize(TextValue text) =>
        text.Text.Length == 0 ? text : text.With(char.ToUpperInvariant(text.Text[0]) + text.Text[1..].ToLowerInvariant());

    private static long Find(RenderState state, TextValue text, CallArguments arguments, bool fromEnd) =>
        text.CodePointIndex(new TextSearch(state, arguments.RequiredText(0, "sub"), fromEnd).Find(text.Text));

    private static long Count(RenderState state, TextValue text, TextValue part)
    {
        if (part.Text.Length == 0) return text.Count + 1;
        var search = new TextSearch(state, part);
        long count = 0;
        for (int start = 0; search.Find(text.Text.AsSpan(start)) is >= 0 and int found; count++) start += found + search.Length;
        return count;
    }

    private static bool Any(RenderState state, CallArguments arguments, Func<string, bool> holds)
    {
        bool Holds(object? part)
        {
            TextValue text = Values.RequireText(part, arguments.Callee);
            state.SpendText(text.Text.Length);
            return holds(text.Text);
        }

        object? parts = arguments.Required(0, "part");
        return parts is ListValue { IsTuple: true } tuple ? tuple.Items.Exists(Holds) : Holds(parts);
    }

    private static bool All(TextValue text, Func<char, bool> holds) => text.Text.Length > 0 && text.Text.All(holds);
}
