using System.Globalization;
using Ernie.Generation;
using Ernie.Server.Api;
using Ernie.Text;

namespace Ernie.Server.Generation;

/// <summary>Writes log-probabilities in the forms of the API.</summary>
internal static class LogprobFormatter
{
    /// <summary>JSON has no −∞; OpenAI sends this for a token that cannot be drawn.</summary>
    private const float Impossible = -9999f;

    /// <summary>Chat form of the tokens of a delta or of a whole choice.</summary>
    public static ChatLogprobs Chat(TokenSpelling spelling, IEnumerable<TokenPosition> tokens) =>
        new([.. tokens.Select(token => ChatToken(spelling, token.Logprobs))]);

    /// <summary>Column form of completions.</summary>
    /// <param name="spelling">Spells tokens.</param>
    /// <param name="tokens">Tokens of the text; a null entry's log-probabilities belong to the first token of an echoed prompt.</param>
    /// <param name="firstOffset">Code points of the choice's text before the offsets' zero.</param>
    public static TextLogprobs Text(TokenSpelling spelling, IReadOnlyList<TokenPosition> tokens, int firstOffset) => new()
    {
        Tokens = [.. tokens.Select(token => spelling.InText(token.Logprobs.Token))],
        TokenLogprobs = [.. tokens.Select(token => (float?)Finite(token.Logprobs.Logprob))],
        TopLogprobs = [.. tokens.Select(token => (Dictionary<string, float>?)TopByText(spelling, token.Logprobs))],
        TextOffset = [.. tokens.Select(token => firstOffset + token.TextOffset)],
    };

    /// <summary>Column form of an echoed prompt.</summary>
    /// <param name="spelling">Spells tokens.</param>
    /// <param name="tokens">The prompt.</param>
    /// <param name="logprobs">One entry per token, the first null.</param>
    /// <param name="skipSpecialTokens">Whether the echoed text leaves control tokens out.</param>
    public static TextLogprobs Prompt(TokenSpelling spelling, IReadOnlyList<int> tokens, IReadOnlyList<TokenLogprobs?> logprobs, bool skipSpecialTokens)
    {
        var offsets = new int[tokens.Count];
        IStreamDecoder decoder = spelling.Tokenizer.CreateStreamDecoder(skipSpecialTokens);
        int offset = 0;
        for (int index = 0; index < tokens.Count; index++)
        {
            offsets[index] = offset;
            offset += CountCodePoints(decoder.Append(tokens[index]));
        }

        return new TextLogprobs
        {
            Tokens = [.. tokens.Select(token => spelling.InText(token))],
            TokenLogprobs = [.. logprobs.Select(entry => entry is null ? (float?)null : Finite(entry.Logprob))],
            TopLogprobs = [.. logprobs.Select(entry => entry is null ? null : TopByText(spelling, entry))],
            TextOffset = offsets,
        };
    }

    /// <summary>Form of <c>prompt_logprobs</c>: per position a map from token id to its log-probability.</summary>
    public static IReadOnlyList<Dictionary<string, PromptLogprob>?> PromptById(TokenSpelling spelling, IReadOnlyList<TokenLogprobs?> logprobs) =>
        [.. logprobs.Select(entry => entry is null ? null : ById(spelling, entry))];

    /// <summary>Joins two column forms.</summary>
    public static TextLogprobs Join(TextLogprobs first, TextLogprobs second) => new()
    {
        Tokens = [.. first.Tokens, .. second.Tokens],
        TokenLogprobs = [.. first.TokenLogprobs, .. second.TokenLogprobs],
        TopLogprobs = [.. first.TopLogprobs, .. second.TopLogprobs],
        TextOffset = [.. first.TextOffset, .. second.TextOffset],
    };

    /// <summary>Code points of a text.</summary>
    public static int CountCodePoints(string text) => text.Count(unit => !char.IsLowSurrogate(unit));

    private static ChatTokenLogprob ChatToken(TokenSpelling spelling, TokenLogprobs token) => new(
        spelling.InChat(token.Token), Finite(token.Logprob), Widen(spelling.Bytes(token.Token).Span), [.. token.Top.Select(top => ChatTop(spelling, top.Token, top.Logprob))]);

    private static ChatTopLogprob ChatTop(TokenSpelling spelling, int token, float logprob) =>
        new(spelling.InChat(token), Finite(logprob), Widen(spelling.Bytes(token).Span));

    private static int[] Widen(ReadOnlySpan<byte> bytes)
    {
        var wide = new int[bytes.Length];
        for (int index = 0; index < bytes.Length; index++)
            wide[index] = bytes[index];
        return wide;
    }

    private static Dictionary<string, float> TopByText(TokenSpelling spelling, TokenLogprobs entry)
    {
        var top = new Dictionary<string, float>(StringComparer.Ordinal);
        foreach ((int token, float logprob) in entry.Top)
            top.TryAdd(spelling.InText(token), Finite(logprob));
        // The chosen token is always there, as OpenAI has it.
        top.TryAdd(spelling.InText(entry.Token), Finite(entry.Logprob));
        return top;
    }

    private static Dictionary<string, PromptLogprob> ById(TokenSpelling spelling, TokenLogprobs entry)
    {
        var map = new Dictionary<string, PromptLogprob>(StringComparer.Ordinal)
        {
            [Key(entry.Token)] = new(Finite(entry.Logprob), entry.Rank, spelling.InText(entry.Token)),
        };
        for (int index = 0; index < entry.Top.Count; index++)
        {
            (int token, float logprob) = entry.Top[index];
            map.TryAdd(Key(token), new PromptLogprob(Finite(logprob), index + 1, spelling.InText(token)));
        }

        return map;

        static string Key(int token) => token.ToString(CultureInfo.InvariantCulture);
    }

    private static float Finite(float logprob) => float.IsFinite(logprob) ? logprob : Impossible;
}
