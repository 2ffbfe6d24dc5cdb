using System.Text;

namespace Ernie.Tokenization.Vocabularies;

/// <summary>What every id stands for. Immutable.</summary>
internal sealed class Vocabulary(byte[] bytes, int[] offsets, int[] lengths, PieceKind[] kinds)
{
    /// <summary>Ids are below this.</summary>
    public int Count => kinds.Length;

    /// <summary>What an id is; <see cref="PieceKind.Missing"/> outside the vocabulary.</summary>
    public PieceKind Kind(int id) => (uint)id < (uint)kinds.Length ? kinds[id] : PieceKind.Missing;

    /// <summary>The bytes that an id stands for; empty outside the vocabulary.</summary>
    public ReadOnlyMemory<byte> Bytes(int id, bool skipSpecialTokens)
    {
        PieceKind kind = Kind(id);
        bool empty = kind == PieceKind.Missing || (kind == PieceKind.Special && skipSpecialTokens);
        return empty ? default : bytes.AsMemory(offsets[id], lengths[id]);
    }

    /// <summary>The piece as the model file spells it; empty outside the vocabulary.</summary>
    public string Spelling(int id)
    {
        ReadOnlySpan<byte> piece = Bytes(id, skipSpecialTokens: false).Span;
        return Kind(id) switch
        {
            PieceKind.Byte => $"<0x{piece[0]:X2}>",
            PieceKind.Normal or PieceKind.UserDefined => Encoding.UTF8.GetString(piece).Replace(' ', TextRules.SpaceSymbol),
            _ => Encoding.UTF8.GetString(piece),
        };
    }
}
