namespace Ernie.Tokenization.Jinja;

/// <summary>Finds a part in texts, in time that grows with their lengths and never with their product.</summary>
/// <remarks>Short parts are left to .NET's vector search; longer ones are found as by Knuth, Morris and Pratt, SIAM J. Comput. 6 (1977).</remarks>
internal sealed class TextSearch
{
    // .NET compares the whole part at every place that looks right: up to here that is a handful of vectors.
    private const int LongestShortPart = 32;

    private readonly RenderState _state;
    private readonly string _part;
    private readonly bool _fromEnd;
    private readonly int[]? _fallbacks;

    /// <summary>Prepares a search; counts the part.</summary>
    /// <param name="state">What counts.</param>
    /// <param name="part">What to find.</param>
    /// <param name="fromEnd">Whether the last one is wanted.</param>
    public TextSearch(RenderState state, TextValue part, bool fromEnd = false)
    {
        state.SpendText(part.Text.Length);
        (_state, _part, _fromEnd) = (state, part.Text, fromEnd);
        if (_part.Length > LongestShortPart) _fallbacks = FindFallbacks();
    }

    /// <summary>Length of the part.</summary>
    public int Length => _part.Length;

    /// <summary>Whether a text holds the part; counts the text.</summary>
    public static bool Holds(RenderState state, TextValue text, TextValue part)
    {
        state.SpendText(text.Text.Length);
        return new TextSearch(state, part).Find(text.Text) >= 0;
    }

    /// <summary>Finds the part: the first one, or the last one. The caller counts the text, once for all searches that go on where the last one ended.</summary>
    /// <returns>The index where it begins, counted from the span's begin, or −1.</returns>
    public int Find(ReadOnlySpan<char> text)
    {
        _state.Spend(1);
        if (_fallbacks is null) return _fromEnd ? text.LastIndexOf(_part) : text.IndexOf(_part);
        int matched = 0;
        for (int index = 0; index < text.Length; index++)
        {
            char next = _fromEnd ? text[text.Length - 1 - index] : text[index];
            while (matched > 0 && PartAt(matched) != next) matched = _fallbacks[matched - 1];
            if (PartAt(matched) == next) matched++;
            if (matched == _part.Length) return _fromEnd ? text.Length - 1 - index : index - matched + 1;
        }

        return -1;
    }

    private char PartAt(int index) => _part[_fromEnd ? _part.Length - 1 - index : index];

    // For every prefix of the part, the length of its longest proper prefix that is its suffix too.
    private int[] FindFallbacks()
    {
        int[] fallbacks = new int[_part.Length];
        int matched = 0;
        for (int index = 1; index < fallbacks.Length; index++)
        {
            while (matched > 0 && PartAt(matched) != PartAt(index)) matched = fallbacks[matched - 1];
            if (PartAt(matched) == PartAt(index)) matched++;
            fallbacks[index] = matched;
        }

        return fallbacks;
    }
}
