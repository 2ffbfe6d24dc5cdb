namespace Ernie.Tokenization.Bpe;

/// <summary>Says which neighbouring symbols may merge, into what, and which merge goes first. Immutable.</summary>
internal abstract class MergeTable(PieceTable pieces)
{
    /// <summary>Rank of a pair that does not merge.</summary>
    public const uint NoMerge = uint.MaxValue;

    /// <summary>The pieces that merging can produce.</summary>
    public PieceTable Pieces { get; } = pieces;

    /// <summary>Finds what a pair merges into.</summary>
    /// <param name="segment">The characters the symbols lie in.</param>
    /// <param name="left">The left symbol.</param>
    /// <param name="right">The symbol right behind it.</param>
    /// <param name="id">The merged piece.</param>
    /// <returns>The merge's rank, or <see cref="NoMerge"/>.</returns>
    public abstract uint Find(ReadOnlySpan<char> segment, in Symbol left, in Symbol right, out int id);
}
