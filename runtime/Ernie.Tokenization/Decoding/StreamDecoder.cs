using System.Text;
using Ernie.Text;
using Ernie.Tokenization.Vocabularies;

namespace Ernie.Tokenization.Decoding;

/// <summary>Decodes token by token. One stream, one decoder; not thread-safe.</summary>
/// <remarks>
/// The bytes of all tokens form one UTF-8 text, so a character split over byte pieces comes out whole. What is no UTF-8 becomes one
/// U+FFFD per maximal part of a character (Unicode 15, §3.9), which is why a cut-off tail gives exactly one.
/// </remarks>
internal sealed class StreamDecoder(Vocabulary vocabulary, TextRules rules, bool skipSpecialTokens) : IStreamDecoder
{
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _text = new();
    private bool _stripsPrefix = rules.StripDecodedPrefix;

    /// <inheritdoc/>
    public string Append(int id)
    {
        _text.Clear();
        Append(id, _text);
        return _text.ToString();
    }

    /// <inheritdoc/>
    public string Flush()
    {
        _text.Clear();
        Flush(_text);
        return _text.ToString();
    }

    /// <summary>Adds a token.</summary>
    /// <param name="id">Token id.</param>
    /// <param name="text">Receives the text that became whole.</param>
    public void Append(int id, StringBuilder text)
    {
        ReadOnlySpan<byte> bytes = vocabulary.Bytes(id, skipSpecialTokens).Span;
        if (_stripsPrefix && bytes.Length > 0) bytes = StripPrefix(id, bytes);
        Convert(bytes, flush: false, text);
    }

    /// <summary>Ends the stream.</summary>
    /// <param name="text">Receives what was held back.</param>
    public void Flush(StringBuilder text)
    {
        Convert([], flush: true, text);
        _stripsPrefix = rules.StripDecodedPrefix;
    }

    // SentencePiece takes one leading space from the first piece; where extra whitespace was removed, from every piece until there is text.
    private ReadOnlySpan<byte> StripPrefix(int id, ReadOnlySpan<byte> bytes)
    {
        bool isSpace = bytes[0] == (byte)' ' && vocabulary.Kind(id) is PieceKind.Normal or PieceKind.UserDefined;
        if (isSpace) bytes = bytes[1..];
        _stripsPrefix = isSpace && bytes.IsEmpty && rules.RemoveExtraWhitespaces;
        return bytes;
    }

    private void Convert(ReadOnlySpan<byte> bytes, bool flush, StringBuilder text)
    {
        // A chunk can end with what earlier bytes held back: up to 3 of them, at most one U+FFFD each.
        Span<char> characters = stackalloc char[256];
        do
        {
            _utf8.Convert(bytes, characters, flush, out int bytesUsed, out int charactersUsed, out bool completed);
            text.Append(characters[..charactersUsed]);
            bytes = bytes[bytesUsed..];
            if (completed) return;
        }
        while (true);
    }
}
