namespace Ernie.Tokenization.Jinja;

/// <summary>A string that knows which parts of it came from the request. Immutable; equality is that of the text alone.</summary>
internal sealed class TextValue : IEquatable<TextValue>
{
    // Found when first asked for; empty when every code point is one unit.
    private int[]? _codePointStarts;

    private TextValue(string text, TextSpan[] content) => (Text, Content) = (text, content);

    /// <summary>The empty string.</summary>
    public static TextValue Empty { get; } = new("", []);

    /// <summary>The text.</summary>
    public string Text { get; }

    /// <summary>The parts that came from the request, ascending, not overlapping, not touching.</summary>
    public TextSpan[] Content { get; }

    /// <summary>Its length in code points, as Python counts.</summary>
    public int Count => HasSurrogates ? CodePointStarts.Length - 1 : Text.Length;

    private bool HasSurrogates => CodePointStarts.Length > 0;

    private int[] CodePointStarts => _codePointStarts ??= Text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? FindCodePoints(Text) : [];

    /// <summary>Text of the template itself.</summary>
    public static TextValue OfTemplate(string text) => text.Length == 0 ? Empty : new(text, []);

    /// <summary>Text that came from the request.</summary>
    public static TextValue OfRequest(string text) => text.Length == 0 ? Empty : new(text, [new TextSpan(0, text.Length)]);

    /// <summary>A text with known parts.</summary>
    public static TextValue Of(string text, TextSpan[] content) => text.Length == 0 ? Empty : new(text, content);

    /// <summary>A part, by UTF-16 units.</summary>
    public TextValue Slice(int start, int length)
    {
        if (length == Text.Length) return this;
        string text = Text.Substring(start, length);
        if (Content.Length == 0) return OfTemplate(text);
        List<TextSpan> content = [];
        for (int index = FirstSpanBehind(start); index < Content.Length && Content[index].Start < start + length; index++)
        {
            int from = Math.Max(Content[index].Start, start), to = Math.Min(Content[index].End, start + length);
            if (from < to) content.Add(new TextSpan(from - start, to - from));
        }

        return Of(text, [.. content]);
    }

    /// <summary>The same parts under another text, such as an upper-case one; a text of another length counts as the request's when any part of this did.</summary>
    public TextValue With(string text) => text.Length == Text.Length ? Of(text, Content) : Derive(text);

    /// <summary>A text made of this one in a way that does not keep its parts: the request's as a whole when any part of this was.</summary>
    public TextValue Derive(string text) => Content.Length == 0 ? OfTemplate(text) : OfRequest(text);

    /// <summary>The code points from one index to another, in steps.</summary>
    public TextValue Range(int start, int count, int step)
    {
        if (count == 0) return Empty;
        if (step == 1) return SliceCodePoints(start, count);
        var result = new TextBuilder(int.MaxValue);
        for (int index = 0; index < count; index++) result.Append(SliceCodePoints(start + (index * step), 1));
        return result.ToValue();
    }

    /// <summary>The number of code points before a UTF-16 index.</summary>
    public int CodePointIndex(int index) => !HasSurrogates || index < 0 ? index : Array.BinarySearch(CodePointStarts, index) is >= 0 and int found ? found : index;

    /// <inheritdoc/>
    public bool Equals(TextValue? other) => other is not null && Text == other.Text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TextValue);

    /// <inheritdoc/>
    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Text;

    private TextValue SliceCodePoints(int start, int count) =>
        HasSurrogates ? Slice(CodePointStarts[start], CodePointStarts[start + count] - CodePointStarts[start]) : Slice(start, count);

    // Index of the first span that ends behind a place. A text may have as many spans as characters, and be cut at every one.
    private int FirstSpanBehind(int place)
    {
        int low = 0, high = Content.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (Content[middle].End > place) high = middle;
            else low = middle + 1;
        }

        return low;
    }

    private static int[] FindCodePoints(string text)
    {
        List<int> starts = new(text.Length + 1);
        for (int index = 0; index < text.Length; index++)
        {
            starts.Add(index);
            if (index + 1 < text.Length && char.IsSurrogatePair(text[index], text[index + 1])) index++;
        }

        starts.Add(text.Length);
        return [.. starts];
    }
}
