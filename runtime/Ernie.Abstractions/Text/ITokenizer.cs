namespace Ernie.Text;

/// <summary>Turns text into token ids and back. Thread-safe.</summary>
public interface ITokenizer
{
    /// <summary>Ids that have a piece; larger ids decode to nothing.</summary>
    int VocabularySize { get; }

    /// <summary>
    /// Encodes text as it stands, with the ids of the SentencePiece library: control tokens in it are plain text, user-defined pieces of
    /// the model file are one token (a few models define their chat's separators so; chats go through a safe encoder instead).
    /// </summary>
    /// <param name="text">Any text; lone surrogates become U+FFFD.</param>
    IReadOnlyList<int> Encode(string text);

    /// <summary>Encodes a rendered template: special tokens are cut out first, the runs between them are encoded as text.</summary>
    /// <param name="text">Output of <see cref="IChatTemplate"/>.</param>
    IReadOnlyList<int> EncodeWithSpecialTokens(string text);

    /// <summary>A number of tokens that a text has at least, found without encoding it: for refusing what is far too long.</summary>
    /// <param name="text">Any text, plain or rendered.</param>
    int LeastTokens(ReadOnlySpan<char> text) => text.IsEmpty ? 0 : 1;

    /// <summary>Decodes whole sequences; incomplete UTF-8 becomes U+FFFD.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecialTokens">Leaves control tokens out.</param>
    string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true);

    /// <summary>The bytes a token stands for (a byte-fallback piece is one byte); empty for unknown ids.</summary>
    /// <param name="id">Token id.</param>
    /// <param name="skipSpecialTokens">Gives control tokens no bytes.</param>
    ReadOnlyMemory<byte> GetBytes(int id, bool skipSpecialTokens = true);

    /// <summary>The piece as the model file spells it, for example <c>▁the</c> or <c>&lt;0x0A&gt;</c>.</summary>
    /// <param name="id">Token id.</param>
    string GetPiece(int id);

    /// <summary>The id of a special token by its spelling, or null.</summary>
    /// <param name="token">For example <c>&lt;/s&gt;</c>.</param>
    int? FindSpecialToken(string token);

    /// <summary>Starts decoding a stream.</summary>
    /// <param name="skipSpecialTokens">Leaves control tokens out.</param>
    IStreamDecoder CreateStreamDecoder(bool skipSpecialTokens = true);
}

/// <summary>Decodes token by token; holds bytes back until they are whole characters.</summary>
public interface IStreamDecoder
{
    /// <summary>Adds a token.</summary>
    /// <param name="id">Token id.</param>
    /// <returns>The text that became whole, possibly empty.</returns>
    string Append(int id);

    /// <summary>Ends the stream.</summary>
    /// <returns>What was held back, incomplete characters as U+FFFD.</returns>
    string Flush();
}
