using System.Buffers;
using Ernie.Tokenization.Bpe;

namespace Ernie.Tokenization;

/// <summary>Finds added and control tokens in text: the leftmost first, the longest of several at one place. Immutable.</summary>
internal sealed class SpecialTokenFinder
{
    private readonly Dictionary<string, AddedToken> _bySpelling = new(StringComparer.Ordinal);
    private readonly Dictionary<int, AddedToken> _byId = [];
    private readonly SpellingTrie _trie = new();
    private readonly SearchValues<char> _starts;

    /// <summary>Creates a finder; of two tokens with one spelling the first counts.</summary>
    public SpecialTokenFinder(IEnumerable<AddedToken> tokens)
    {
        foreach (AddedToken token in tokens)
        {
            if (token.Spelling.Length == 0 || !_bySpelling.TryAdd(token.Spelling, token)) continue;
            _byId.TryAdd(token.Id, token);
            _trie.Add(token.Spelling, token.Id);
        }

        _starts = SearchValues.Create(string.Concat(_bySpelling.Keys.Select(spelling => spelling[0]).Distinct()));
    }

    /// <summary>The id of a token, or null.</summary>
    public int? IdOf(string spelling) => _bySpelling.TryGetValue(spelling, out AddedToken? token) ? token.Id : null;

    /// <summary>Finds the next token that lies in a part of the text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="start">Start of the part.</param>
    /// <param name="end">End of the part, exclusive.</param>
    /// <param name="position">Where the token begins.</param>
    /// <returns>The token, or null.</returns>
    public AddedToken? FindNext(ReadOnlySpan<char> text, int start, int end, out int position)
    {
        for (position = start; position < end; position++)
        {
            int skipped = text[position..end].IndexOfAny(_starts);
            if (skipped < 0) break;
            position += skipped;
            int length = _trie.Match(text[position..end], out int id);
            if (length == 0) continue;
            AddedToken token = _byId[id];
            if (!token.SingleWord || IsSingleWord(text, position, length)) return token;
        }

        position = end;
        return null;
    }

    private static bool IsSingleWord(ReadOnlySpan<char> text, int start, int length)
    {
        int end = start + length;
        return (start == 0 || !IsWord(text[start - 1])) && (end == text.Length || !IsWord(text[end]));
    }

    private static bool IsWord(char value) => char.IsLetterOrDigit(value) || value == '_';
}
