using Ernie.Text;

namespace Ernie.Samplers.Tests.Shipped;

/// <summary>A character is a token: a digit its value, anything else 0.</summary>
internal sealed class DigitTokenizer : ITokenizer
{
    public int VocabularySize => 10;

    public IReadOnlyList<int> Encode(string text) => [.. text.Select(character => char.IsAsciiDigit(character) ? character - '0' : 0)];

    public IReadOnlyList<int> EncodeWithSpecialTokens(string text) => Encode(text);

    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true) => string.Concat(ids.ToArray());

    public ReadOnlyMemory<byte> GetBytes(int id, bool skipSpecialTokens = true) => new[] { (byte)('0' + id) };

    public string GetPiece(int id) => ((char)('0' + id)).ToString();

    public int? FindSpecialToken(string token) => null;

    public IStreamDecoder CreateStreamDecoder(bool skipSpecialTokens = true) => throw new NotSupportedException("Nothing is decoded here.");
}
