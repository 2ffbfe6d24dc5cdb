using System.Globalization;
using System.Text;
using Ernie.Text;

namespace Ernie.Server.Generation;

/// <summary>How log-probabilities spell tokens.</summary>
/// <param name="Tokenizer">Knows their bytes.</param>
/// <param name="AsIds">Whether they are spelled <c>token_id:ID</c> instead of as text.</param>
internal readonly record struct TokenSpelling(ITokenizer Tokenizer, bool AsIds)
{
    private static readonly UTF8Encoding s_strictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>A token's bytes, control tokens spelled out.</summary>
    public ReadOnlyMemory<byte> Bytes(int token) => Tokenizer.GetBytes(token, skipSpecialTokens: false);

    /// <summary>A token in chats: its text, what is not UTF-8 replaced; the bytes beside it are exact.</summary>
    public string InChat(int token) => AsIds ? Id(token) : Encoding.UTF8.GetString(Bytes(token).Span);

    /// <summary>A token in completions: its text; where its bytes are part of a character, OpenAI's <c>bytes:\x..</c> form.</summary>
    public string InText(int token)
    {
        if (AsIds)
            return Id(token);
        ReadOnlySpan<byte> bytes = Bytes(token).Span;
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

    private static string Id(int token) => $"token_id:{token.ToString(CultureInfo.InvariantCulture)}";
}
