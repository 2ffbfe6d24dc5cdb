using System.Text;
using Ernie.Text;
using Ernie.Tokenization.Bpe;
using Ernie.Tokenization.Decoding;
using Ernie.Tokenization.Vocabularies;

namespace Ernie.Tokenization;

/// <summary>A byte-pair tokenizer of SentencePiece's kind. Immutable apart from a cache, thread-safe.</summary>
/// <remarks>
/// <see cref="Encode(string)"/> gives the ids of the SentencePiece library: user-defined pieces of the model file count as one token
/// there too, even where the file uses them for control tokens. What a user writes into a chat goes through <see cref="ChatEncoder"/>,
/// where no spelling of a special token in it counts.
/// </remarks>
public sealed class BpeTokenizer : IRenderedTextTokenizer
{
    private readonly Vocabulary _vocabulary;
    private readonly BpeEncoder _encoder;
    private readonly SpecialTokenFinder _special;
    private readonly SpellingTrie _literals;
    private readonly SpellingTrie _plainLiterals;
    private readonly TextRules _rules;
    private readonly Lazy<int> _longestPiece;

    /// <summary>Creates a tokenizer from what a loader read.</summary>
    /// <param name="vocabulary">What ids stand for.</param>
    /// <param name="merges">How characters merge.</param>
    /// <param name="unknown">What characters without a piece become.</param>
    /// <param name="rules">What happens to text first.</param>
    /// <param name="special">Tokens to cut out of rendered templates.</param>
    /// <param name="literals">User-defined pieces.</param>
    internal BpeTokenizer(Vocabulary vocabulary, MergeTable merges, UnknownCharacters unknown, TextRules rules, IEnumerable<AddedToken> special, IEnumerable<(string Spelling, int Id)> literals)
    {
        _vocabulary = vocabulary;
        _encoder = new BpeEncoder(merges, unknown, rules);
        _special = new SpecialTokenFinder(special);
        _literals = new SpellingTrie();
        _plainLiterals = new SpellingTrie();
        _rules = rules;
        _longestPiece = new Lazy<int>(() => LongestPiece(vocabulary, unknown, rules, special));
        foreach ((string spelling, int id) in literals)
        {
            _literals.Add(spelling, id);
            if (_special.IdOf(spelling) is null) _plainLiterals.Add(spelling, id);
        }
    }

    /// <inheritdoc/>
    public int VocabularySize => _vocabulary.Count;

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = WellFormed(text);
        var ids = new IdBuffer((text.Length / 3) + 16);
        try
        {
            _encoder.Encode(text, isFirst: true, _literals, ref ids);
            return ids.ToArray();
        }
        finally
        {
            ids.Dispose();
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> EncodeWithSpecialTokens(string text) => Encode(new RenderedText(text, []));

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(RenderedText rendered)
    {
        ArgumentNullException.ThrowIfNull(rendered);
        string text = WellFormed(rendered.Text);
        var ids = new IdBuffer((text.Length / 3) + 16);
        try
        {
            int runStart = 0, searched = 0;
            foreach (TextSpan content in rendered.Content.Append(new TextSpan(text.Length, 0)))
            {
                while (_special.FindNext(text, searched, content.Start, out int position) is { } token)
                {
                    ReadOnlySpan<char> run = text.AsSpan(runStart, position - runStart);
                    _encoder.Encode(token.StripLeft ? run.TrimEnd() : run, runStart == 0, _plainLiterals, ref ids);
                    ids.Add(token.Id);
                    runStart = position + token.Spelling.Length;
                    while (token.StripRight && runStart < content.Start && char.IsWhiteSpace(text[runStart])) runStart++;
                    searched = runStart;
                }

                searched = Math.Max(searched, content.End);
            }

            _encoder.Encode(text.AsSpan(runStart), runStart == 0, _plainLiterals, ref ids);
            return ids.ToArray();
        }
        finally
        {
            ids.Dispose();
        }
    }

    /// <inheritdoc/>
    public int LeastTokens(ReadOnlySpan<char> text) =>
        text.IsEmpty ? 0 : _longestPiece.Value is > 0 and var longest ? (int)(((long)text.Length + longest - 1) / longest) : 1;

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true)
    {
        var decoder = new StreamDecoder(_vocabulary, _rules, skipSpecialTokens);
        var text = new StringBuilder(ids.Length * 4);
        foreach (int id in ids) decoder.Append(id, text);
        decoder.Flush(text);
        return text.ToString();
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> GetBytes(int id, bool skipSpecialTokens = true) => _vocabulary.Bytes(id, skipSpecialTokens);

    /// <inheritdoc/>
    public string GetPiece(int id) => _vocabulary.Spelling(id);

    /// <inheritdoc/>
    public int? FindSpecialToken(string token) => _special.IdOf(token);

    /// <inheritdoc/>
    public IStreamDecoder CreateStreamDecoder(bool skipSpecialTokens = true) => new StreamDecoder(_vocabulary, _rules, skipSpecialTokens);

    // UTF-16 units that a token stands for at most; 0 where any number of them may become one token, or none.
    private static int LongestPiece(Vocabulary vocabulary, UnknownCharacters unknown, TextRules rules, IEnumerable<AddedToken> special)
    {
        if (rules.RemoveExtraWhitespaces || (unknown.ByteIds is null && unknown.Fuse) || special.Any(token => token.StripLeft || token.StripRight)) return 0;
        // A character without a piece is one token of two units at most.
        int longest = 2;
        for (int id = 0; id < vocabulary.Count; id++) longest = Math.Max(longest, Encoding.UTF8.GetCharCount(vocabulary.Bytes(id, skipSpecialTokens: false).Span));
        return longest;
    }

    // A lone surrogate has no UTF-8 form. One U+FFFD takes its place, so positions in the text stay as they are.
    private static string WellFormed(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')) return text;
        char[]? repaired = null;
        for (int index = 0; index < text.Length; index++)
        {
            if (!char.IsSurrogate(text[index])) continue;
            if (index + 1 < text.Length && char.IsSurrogatePair(text[index], text[index + 1])) index++;
            else (repaired ??= text.ToCharArray())[index] = '\uFFFD';
        }

        return repaired is null ? text : new string(repaired);
    }
}
