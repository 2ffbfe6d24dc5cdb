namespace Ernie.Tokenization.Bpe;

/// <summary>Remembers the ids of short segments. A newer segment replaces an older one in the same slot; reads and writes need no lock because entries never change.</summary>
internal sealed class SegmentCache
{
    /// <summary>Longer segments (UTF-16 units) are not worth remembering.</summary>
    public const int MaximumLength = 32;

    private const int SlotBits = 15;

    private readonly Entry?[] _slots = new Entry?[1 << SlotBits];

    /// <summary>Finds a segment's ids.</summary>
    /// <param name="segment">Its characters.</param>
    /// <param name="hash">Their hash (<see cref="PieceTable.Extend"/>).</param>
    /// <returns>Its ids, or null.</returns>
    public int[]? Find(ReadOnlySpan<char> segment, ulong hash)
    {
        Entry? entry = _slots[SlotOf(hash)];
        return entry is not null && entry.Hash == hash && segment.SequenceEqual(entry.Text) ? entry.Ids : null;
    }

    /// <summary>Remembers a segment.</summary>
    public void Store(ReadOnlySpan<char> segment, ulong hash, ReadOnlySpan<int> ids) =>
        _slots[SlotOf(hash)] = new Entry(hash, segment.ToString(), ids.ToArray());

    private static int SlotOf(ulong hash) => (int)((hash ^ (hash >> 29)) * 0xBF58_476D_1CE4_E5B9 >> (64 - SlotBits));

    private sealed class Entry(ulong hash, string text, int[] ids)
    {
        public ulong Hash { get; } = hash;

        public string Text { get; } = text;

        public int[] Ids { get; } = ids;
    }
}
