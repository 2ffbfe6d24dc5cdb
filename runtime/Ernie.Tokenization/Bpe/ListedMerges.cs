namespace Ernie.Tokenization.Bpe;

/// <summary>The rule of <c>tokenizer.json</c>: a listed pair of pieces merges, the first in the list goes first.</summary>
/// <param name="pieces">The pieces.</param>
/// <param name="merges">Merged id and rank by (left id, right id), packed by <see cref="Pair"/>.</param>
internal sealed class ListedMerges(PieceTable pieces, Dictionary<ulong, (int Id, uint Rank)> merges) : MergeTable(pieces)
{
    /// <inheritdoc/>
    public override uint Find(ReadOnlySpan<char> segment, in Symbol left, in Symbol right, out int id)
    {
        if (left.Id >= 0 && right.Id >= 0 && merges.TryGetValue(Pair(left.Id, right.Id), out (int Id, uint Rank) merge))
        {
            id = merge.Id;
            return merge.Rank;
        }

        id = -1;
        return NoMerge;
    }

    /// <summary>The key of a pair.</summary>
    public static ulong Pair(int leftId, int rightId) => ((ulong)(uint)leftId << 32) | (uint)rightId;
}
