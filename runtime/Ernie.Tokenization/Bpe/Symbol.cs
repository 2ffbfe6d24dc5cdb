namespace Ernie.Tokenization.Bpe;

/// <summary>A run of characters of a segment that is one unit so far, and a node of the list of such units.</summary>
internal struct Symbol
{
    /// <summary>Polynomial hash of its characters (<see cref="PieceTable.Extend"/>).</summary>
    public ulong Hash;

    /// <summary>Index of its first character in the segment.</summary>
    public int Start;

    /// <summary>Its length in UTF-16 units; 0 once it is merged into its left neighbour.</summary>
    public int Length;

    /// <summary>Its piece, or −1 for a character that has none.</summary>
    public int Id;

    /// <summary>Index of the left neighbour, or −1.</summary>
    public int Previous;

    /// <summary>Index of the right neighbour, or −1.</summary>
    public int Next;

    /// <summary>The piece that this and the right neighbour merge into, valid unless <see cref="MergedRank"/> is <see cref="MergeTable.NoMerge"/>.</summary>
    public int MergedId;

    /// <summary>Priority of that merge, smallest first.</summary>
    public uint MergedRank;
}
