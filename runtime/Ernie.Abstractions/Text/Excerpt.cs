namespace Ernie.Text;

/// <summary>What an error shows of text that came from outside: a file, a template, a request.</summary>
public static class Excerpt
{
    /// <summary>Most characters of it.</summary>
    public const int MaximumCharacters = 200;

    /// <summary>The text, or its beginning and how long it is.</summary>
    /// <param name="text">What came from outside.</param>
    /// <param name="maximum">Most characters of it that are shown.</param>
    public static string Of(string text, int maximum = MaximumCharacters)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentOutOfRangeException.ThrowIfNegative(maximum);
        if (text.Length <= maximum) return text;
        // Half a surrogate pair is no character.
        int end = maximum > 0 && char.IsHighSurrogate(text[maximum - 1]) ? maximum - 1 : maximum;
        return $"{text.AsSpan(0, end)}… ({text.Length} characters)";
    }
}
