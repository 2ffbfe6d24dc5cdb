namespace Ernie.Tokenization.Jinja;

/// <summary>What cuts strings into lists. The caller counts the text; a part counts as an item.</summary>
internal static class TextSplitting
{
    /// <summary><c>text.split(sep, maxsplit)</c>; without a separator, at white space.</summary>
    public static ListValue Split(RenderState state, TextValue text, TextValue? separator, int maximum)
    {
        if (separator is null) return SplitAtWhiteSpace(state, text, maximum);
        if (separator.Text.Length == 0) throw new TemplateError("split needs a separator that is not empty");
        var search = new TextSearch(state, separator);
        List<object?> parts = [];
        int start = 0;
        for (int found; maximum != 0 && (found = search.Find(text.Text.AsSpan(start))) >= 0; maximum--)
        {
            parts.Add(text.Slice(start, found));
            start += found + search.Length;
        }

        parts.Add(text.Slice(start, text.Text.Length - start));
        return Finish(state, text, parts);
    }

    /// <summary><c>text.rsplit(sep, maxsplit)</c>.</summary>
    public static ListValue SplitFromRight(RenderState state, TextValue text, TextValue separator, int maximum)
    {
        if (separator.Text.Length == 0) throw new TemplateError("rsplit needs a separator that is not empty");
        var search = new TextSearch(state, separator, fromEnd: true);
        List<object?> parts = [];
        int end = text.Text.Length;
        for (int found; maximum != 0 && end > 0 && (found = search.Find(text.Text.AsSpan(0, end))) >= 0; maximum--)
        {
            parts.Add(text.Slice(found + search.Length, end - found - search.Length));
            end = found;
        }

        parts.Add(text.Slice(0, end));
        parts.Reverse();
        return Finish(state, text, parts);
    }

    /// <summary><c>text.splitlines(keepends)</c>.</summary>
    public static ListValue SplitLines(RenderState state, TextValue text, bool keepEnds)
    {
        List<object?> lines = [];
        for (int start = 0; start < text.Text.Length;)
        {
            int found = text.Text.AsSpan(start).IndexOfAny('\n', '\r');
            int end = found < 0 ? text.Text.Length : start + found;
            int next = found < 0 ? end : string.CompareOrdinal(text.Text, end, "\r\n", 0, 2) == 0 ? end + 2 : end + 1;
            state.Spend(1);
            lines.Add(text.Slice(start, (keepEnds ? next : end) - start));
            start = next;
        }

        return Finish(state, text, lines);
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
            state.Spend(1);
            parts.Add(text.Slice(start, end - start));
            start = end;
        }

        return Finish(state, text, parts);
    }

    // The parts are new texts, and each is an object of its own.
    private static ListValue Finish(RenderState state, TextValue text, List<object?> parts)
    {
        state.SpendNewText(text.Text.Length);
        state.Spend(parts.Count * Values.StepsPerNewItem);
        return new ListValue(parts);
    }
}
