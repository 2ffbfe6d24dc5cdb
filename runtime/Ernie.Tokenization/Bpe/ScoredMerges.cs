namespace Ernie.Tokenization.Bpe;

/// <summary>SentencePiece's rule: two symbols merge when their characters together spell a piece; the highest score goes first.</summary>
/// <remarks>
/// No table of pairs is built: the hash of the pair's characters follows from the two hashes, and the piece table is asked for it.
/// That keeps loading a vocabulary of 100,000 pieces at the price of one pass over them.
/// </remarks>
internal sealed class ScoredMerges(PieceTable pieces, uint[] rankById) : MergeTable(pieces)
{
    /// <inheritdoc/>
    public override uint Find(ReadOnlySpan<char> segment, in Symbol left, in Symbol right, out int id)
    {
        int length = left.Length + right.Length;
        if (length > Pieces.MaximumLength)
        {
            id = -1;
            return NoMerge;
        }

        ulong hash = Pieces.Concatenate(left.Hash, right.Hash, right.Length);
        id = Pieces.Find(segment.Slice(left.Start, length), hash);
        return id < 0 ? NoMerge : rankById[id];
    }

    /// <summary>A number that ascends as the score descends, equal for equal scores.</summary>
    /// <param name="score">Finite.</param>
    public static uint RankOf(float score)
    {
        // Bits of a float order like a sign-magnitude integer; adding zero turns −0 into +0, which SentencePiece compares as equal.
        uint bits = BitConverter.SingleToUInt32Bits(score + 0f);
        return (bits & 0x8000_0000) == 0 ? 0x7FFF_FFFF - bits : bits;
    }
}
