namespace Ernie.Tokenization.Jinja;

/// <summary>The methods of strings.</summary>
internal static class TextMethods
{
    /// <summary>Finds a method.</summary>
    /// <returns>The method bound to the string, or null.</returns>
    public static Callable? Find(TextValue text, string name)
    {
        Func<RenderState, CallArguments, object?>? body = name switch
        {
            "strip" => (_, arguments) => Strip(text, arguments.OptionalText(0, "chars"), left: true, right: true),
            "lstrip" => (_, arguments) => Strip(text, arguments.OptionalText(0, "chars"), left: true, right: false),
            "rstrip" => (_, arguments) => Strip(text, arguments.OptionalText(0, "chars"), left: false, right: true),
            "split" => (state, arguments) => Split(state, text, arguments.OptionalText(0, "sep"), arguments.OptionalInteger(1, "maxsplit", -1)),
            "rsplit" => (state, arguments) => SplitFromRight(state, text, arguments.RequiredText(0, "sep"), arguments.OptionalInteger(1, "maxsplit", -1)),
            "splitlines" => (state, arguments) => SplitLines(state, text, Values.IsTrue(arguments.Optional(0, "keepends"))),
            "startswith" => (_, arguments) => Any(arguments, prefix => text.Text.StartsWith(prefix, StringComparison.Ordinal)),
            "endswith" => (_, arguments) => Any(arguments, suffix => text.Text.EndsWith(suffix, StringComparison.Ordinal)),
            "removeprefix" => (_, arguments) => arguments.RequiredText(0, "prefix") is var prefix && text.Text.StartsWith(prefix.Text, StringComparison.Ordinal) ? text.Slice(prefix.Text.Length, text.Text.Length - prefix.Text.Length) : text,
            "removesuffix" => (_, arguments) => arguments.RequiredText(0, "suffix") is var suffix && text.Text.EndsWith(suffix.Text, StringComparison.Ordinal) ? text.Slice(0, text.Text.Length - suffix.Text.Length) : text,
            "upper" => (_, _) => text.With(text.Text.ToUpperInvariant()),
            "lower" => (_, _) => text.With(text.Text.ToLowerInvariant()),
            "title" => (_, _) => Title(text),
            "capitalize" => (_, _) => Capitalize(text),
            "replace" => (state, arguments) => Replace(state, text, arguments.RequiredText(0, "old"), arguments.RequiredText(1, "new"), arguments.OptionalInteger(2, "count", -1)),
            "find" => (_, arguments) => (long)text.CodePointIndex(text.Text.IndexOf(arguments.RequiredText(0, "sub").Text, StringComparison.Ordinal)),
            "rfind" => (_, arguments) => (long)text.CodePointIndex(text.Text.LastIndexOf(arguments.RequiredText(0, "sub").Text, StringComparison.Ordinal)),
            "index" => (_, arguments) => text.Text.IndexOf(arguments.RequiredText(0, "sub").Text, StringComparison.Ordinal) is >= 0 and int index ? (long)text.CodePointIndex(index) : throw new TemplateError("the part is not found"),
            "count" => (_, arguments) => (long)Count(text, arguments.RequiredText(0, "sub")),
            "join" => (state, arguments) => Join(state, text, Values.Items(arguments.Required(0, "iterable"))),
            "format" => (state, arguments) => TextFormat.Braces(state, text, arguments),
            "isdigit" => (_, _) => All(text, char.IsDigit),
            "isnumeric" => (_, _) => All(text, char.IsNumber),
            "isalpha" => (_, _) => All(text, char.IsLetter),
            "isalnum" => (_, _) => All(text, char.IsLetterOrDigit),
            "isspace" => (_, _) => All(text, char.IsWhiteSpace),
            "isupper" => (_, _) => text.Text.Any(char.IsUpper) && !text.Text.Any(char.IsLower),
            "islower" => (_, _) => text.Text.Any(char.IsLower) && !text.Text.Any(char.IsUpper),
            _ => null,
        };
        return body is null ? null : new Callable(name, body);
    }

    /// <summary>Takes white space, or the characters given, from the ends.</summary>
    public static TextValue Strip(TextValue text, TextValue? characters, bool left, bool right)
    {
        int start = 0, end = text.Text.Length;
        while (left && start < end && Strips(text.Text[start], characters)) start++;
        while (right && end > start && Strips(text.Text[end - 1], characters)) end--;
        return text.Slice(start, end - start);
    }

    /// <summary>Replaces a part wherever it stands, at most so many times; −1 is always.</summary>
    public static TextValue Replace(RenderState state, TextValue text, TextValue old, TextValue replacement, int count)
    {
        // Python puts the replacement between all characters when the part is empty.
        if (old.Text.Length == 0) throw new TemplateError("replace needs a part that is not empty");
        TextBuilder result = state.NewText();
        int start = 0;
        for (int found; count != 0 && (found = text.Text.IndexOf(old.Text, start, StringComparison.Ordinal)) >= 0; count--)
        {
            result.Append(text.Slice(start, found - start)).Append(replacement);
            start = found + old.Text.Length;
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

    private static ListValue Split(RenderState state, TextValue text, TextValue? separator, int maximum)
    {
        if (separator is null) return SplitAtWhiteSpace(state, text, maximum);
        if (separator.Text.Length == 0) throw new TemplateError("split needs a separator that is not empty");
        List<object?> parts = [];
        int start = 0;
        for (int found; maximum != 0 && (found = text.Text.IndexOf(separator.Text, start, StringComparison.Ordinal)) >= 0; maximum--)
        {
            parts.Add(text.Slice(start, found - start));
            start = found + separator.Text.Length;
        }

        parts.Add(text.Slice(start, text.Text.Length - start));
        state.Spend(parts.Count);
        return new ListValue(parts);
    }

    private static ListValue SplitAtWhiteSpace(RenderState state, TextValue text, int maximum)
    {
        List<object?> parts = [];
        string source = text.Text;
        for (int start = 0; ;)
        {
            while (start < source.Length && char.IsWhiteSpace(source[start])) start++;
            if (start == source.Length) break;
            int end = start;
            if (maximum-- == 0) end = source.Length;
            while (end < source.Length && !char.IsWhiteSpace(source[end])) end++;
            parts.Add(text.Slice(start, end - start));
            start = end;
        }

        state.Spend(parts.Count);
        return new ListValue(parts);
    }

    private static ListValue SplitFromRight(RenderState state, TextValue text, TextValue separator, int maximum)
    {
        if (separator.Text.Length == 0) throw new TemplateError("rsplit needs a separator that is not empty");
        List<object?> parts = [];
        int end = text.Text.Length;
        for (int found; maximum != 0 && end > 0 && (found = text.Text.AsSpan(0, end).LastIndexOf(separator.Text)) >= 0; maximum--)
        {
            parts.Add(text.Slice(found + separator.Text.Length, end - found - separator.Text.Length));
            end = found;
        }

        parts.Add(text.Slice(0, end));
        parts.Reverse();
        state.Spend(parts.Count);
        return new ListValue(parts);
    }

    private static ListValue SplitLines(RenderState state, TextValue text, bool keepEnds)
    {
        List<object?> lines = [];
        for (int start = 0; start < text.Text.Length;)
        {
            int found = text.Text.AsSpan(start).IndexOfAny('\n', '\r');
            int end = found < 0 ? text.Text.Length : start + found;
            int next = found < 0 ? end : string.CompareOrdinal(text.Text, end, "\r\n", 0, 2) == 0 ? end + 2 : end + 1;
            lines.Add(text.Slice(start, (keepEnds ? next : end) - start));
            start = next;
        }

        state.Spend(lines.Count);
        return new ListValue(lines);
    }

    private static int Count(TextValue text, TextValue part)
    {
        if (part.Text.Length == 0) return text.Count + 1;
        int count = 0;
        for (int found = text.Text.IndexOf(part.Text, StringComparison.Ordinal); found >= 0; found = text.Text.IndexOf(part.Text, found + part.Text.Length, StringComparison.Ordinal)) count++;
        return count;
    }

    private static bool Any(CallArguments arguments, Func<string, bool> holds)
    {
        object? parts = arguments.Required(0, "part");
        return parts is ListValue { IsTuple: true } tuple ? tuple.Items.Exists(part => holds(Values.RequireText(part, arguments.Callee).Text)) : holds(Values.RequireText(parts, arguments.Callee).Text);
    }

    private static bool All(TextValue text, Func<char, bool> holds) => text.Text.Length > 0 && text.Text.All(holds);

    private static bool Strips(char value, TextValue? characters) => characters is null ? char.IsWhiteSpace(value) : characters.Text.Contains(value);
}
