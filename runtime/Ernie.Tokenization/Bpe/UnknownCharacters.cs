using System.Text;

namespace Ernie.Tokenization.Bpe;

/// <summary>What a character without a piece becomes.</summary>
/// <param name="ByteIds">[256] ids of the byte pieces, or null without byte fallback.</param>
/// <param name="UnknownId">Id of the unknown token; used without byte fallback.</param>
/// <param name="Fuse">Whether neighbouring unknown characters share one unknown token.</param>
internal sealed record UnknownCharacters(int[]? ByteIds, int UnknownId, bool Fuse)
{
    /// <summary>Adds the ids of one character.</summary>
    /// <param name="character">One code point.</param>
    /// <param name="ids">Receives them.</param>
    public void Add(ReadOnlySpan<char> character, ref IdBuffer ids)
    {
        if (ByteIds is null)
        {
            ids.Add(UnknownId);
            return;
        }

        // To the model a space is U+2581; where even that has no piece, its bytes are the symbol's.
        if (character is " ") character = "▁";
        Span<byte> bytes = stackalloc byte[4];
        int count = Encoding.UTF8.GetBytes(character, bytes);
        foreach (byte value in bytes[..count]) ids.Add(ByteIds[value]);
    }
}
