using System.Globalization;
using System.Text;
using Ernie.Generation;
using Ernie.Server.Api;
using Ernie.Text;

namespace Ernie.Server.Generation;

/// <summary>Writes log-probabilities in the forms of the API.</summary>
internal static class LogprobFormatter
{
    /// <summary>JSON has no −∞; OpenAI sends this for a token that cannot be drawn.</summary>
    private const float Impossible = -9999f;

    private static readonly UTF8Encoding s_strictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>Chat form of the tokens of a delta or of a whole choice.</summary>
    public static ChatLogprobs Chat(ITokenizer tokenizer, IEnumerable<TokenPosition> tokens) =>
        new([.. tokens.Select(token => ChatToken(tokenizer, token.Logprobs))]);

    /// <summary>Column form of completions.</summary>
    /// <param name="tokenizer">Spells tokens.</param>
    /// <param name="tokens">Tokens of the text; a null entry's log-probabilities belong to the first token of an echoed prompt.</param>
    /// <param name="firstOffset">Code points of the choice's text before the offsets' zero.</param>
    public static TextLogprobs Text(ITokenizer tokenizer, IReadOnlyList<TokenPosition> tokens, int firstOffset) => new()
    {
        Tokens = [.. tokens.Select(token => Spell(tokenizer, token.Logprobs.Token))],
        TokenLogprobs = [.. tokens.Select(token => (float?)Finite(token.Logprobs.Logprob))],
        TopLogprobs = [.. tokens.Select(token => (Dictionary<string, float>?)TopByText(tokenizer, token.Logprobs))],
        TextOffset = [.. tokens.Select(token => firstOffset + token.TextOffset)],
    };

    /// <summary>Column form of an echoed prompt.</summary>
    /// <param name="tokenizer">Spells tokens.</param>
    /// <param name="tokens">The prompt.</param>
    /// <param name="logprobs">One entry per token, the first null.</param>
    /// <param name="skipSpecialTokens">Whether the echoed text leaves control tokens out.</param>
    public static TextLogprobs Prompt(ITokenizer tokenizer, IReadOnlyList<int> tokens, IReadOnlyList<TokenLogprobs?> logprobs, bool skipSpecialTokens)
    {
        var offsets = new int[tokens.Count];
        IStreamDecoder decoder = tokenizer.CreateStreamDecoder(skipSpecialTokens);
        int offset = 0;
        for (int index = 0; index < tokens.Count; index++)
        {
            offsets[index] = offset;
            offset += CountCodePoints(decoder.Append(tokens[index]));
        }

        return new TextLogprobs
        {
            Tokens = [.. tokens.Select(token => Spell(tokenizer, token))],
            TokenLogprobs = [.. logprobs.Select(entry => entry is null ? (float?)null : Finite(entry.Logprob))],
            TopLogprobs = [.. logprobs.Select(entry => entry is null ? null : TopByText(tokenizer, entry))],
            TextOffset = offsets,
        };
    }

    /// <summary>Form of <c>prompt_logprobs</c>: per position a map from token id to its log-probability.</summary>
    public static IReadOnlyList<Dictionary<string, PromptLogprob>?> PromptById(ITokenizer tokenizer, IReadOnlyList<TokenLogprobs?> logprobs) =>
        [.. logprobs.Select(entry => entry is null ? null : ById(tokenizer, entry))];

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

    private static ChatTokenLogprob ChatToken(ITokenizer tokenizer, TokenLogprobs token)
    {
        ReadOnlySpan<byte> bytes = tokenizer.GetBytes(token.Token, skipSpecialTokens: false).Span;
        return new ChatTokenLogprob(
            Encoding.UTF8.GetString(bytes), Finite(token.Logprob), Widen(bytes), [.. token.Top.Select(top => ChatTop(tokenizer, top.Token, top.Logprob))]);
    }

    private static ChatTopLogprob ChatTop(ITokenizer tokenizer, int token, float logprob)
    {
        ReadOnlySpan<byte> bytes = tokenizer.GetBytes(token, skipSpecialTokens: false).Span;
        return new ChatTopLogprob(Encoding.UTF8.GetString(bytes), Finite(logprob), Widen(bytes));
    }

    private static int[] Widen(ReadOnlySpan<byte> bytes)
    {
        var wide = new int[bytes.Length];
        for (int index = 0; index < bytes.Length; index++)
            wide[index] = bytes[index];
        return wide;
    }

    private static Dictionary<string, float> TopByText(ITokenizer tokenizer, TokenLogprobs entry)
    {
        var top = new Dictionary<string, float>(StringComparer.Ordinal);
        foreach ((int token, float logprob) in entry.Top)
            top.TryAdd(Spell(tokenizer, token), Finite(logprob));
        // The chosen token is always there, as OpenAI has it.
        top.TryAdd(Spell(tokenizer, entry.Token), Finite(entry.Logprob));
        return top;
    }

    private static Dictionary<string, PromptLogprob> ById(ITokenizer tokenizer, TokenLogprobs entry)
    {
        var map = new Dictionary<string, PromptLogprob>(StringComparer.Ordinal)
        {
            [Key(entry.Token)] = new(Finite(entry.Logprob), entry.Rank, Spell(tokenizer, entry.Token)),
        };
        for (int index = 0; index < entry.Top.Count; index++)
        {
            (int token, float logprob) = entry.Top[index];
            map.TryAdd(Key(token), new PromptLogprob(Finite(logprob), index + 1, Spell(tokenizer, token)));
        }

        return map;

        static string Key(int token) => token.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A token's text; where its bytes are part of a character, OpenAI's <c>bytes:\x..</c> form.</summary>
    public static string Spell(ITokenizer tokenizer, int token)
    {
        ReadOnlySpan<byte> bytes = tokenizer.GetBytes(token, skipSpecialTokens: false).Span;
        try
        {
            return s_strictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            var text = new StringBuilder("bytes:");
            foreach (byte value in bytes)
                text.Append("\\x").Append(value.ToString("x2", CultureInfo.InvariantCulture));
            return text.ToString();
        }
    }

    private static float Finite(float logprob) => float.IsFinite(logprob) ? logprob : Impossible;
}
