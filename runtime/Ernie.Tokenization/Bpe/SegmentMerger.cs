using System.Runtime.CompilerServices;

namespace Ernie.Tokenization.Bpe;

/// <summary>Runs BPE over one segment. Holds its working memory, so one thread at a time uses one merger.</summary>
internal sealed class SegmentMerger
{
    // Below this many symbols, looking at every pair before each merge is cheaper than a queue.
    private const int ScanLimit = 32;

    // Working memory beyond this is given back after use: 64 Ki symbols are 2.5 MiB.
    private const int KeptSymbols = 1 << 16;

    private Symbol[] _symbols = new Symbol[64];
    private readonly MergeQueue _queue = new();

    /// <summary>Merges until no pair of neighbours merges any more.</summary>
    /// <param name="segment">Well-formed text, at least one character.</param>
    /// <param name="merges">What may merge.</param>
    /// <returns>The symbols; those with length 0 are gone. Valid until the next call.</returns>
    public ReadOnlySpan<Symbol> Merge(ReadOnlySpan<char> segment, MergeTable merges)
    {
        int count = Split(segment, merges.Pieces);
        for (int index = 0; index < count; index++) Rate(segment, merges, index);
        if (count <= ScanLimit) MergeByScanning(segment, merges);
        else MergeByQueue(segment, merges, count);
        return _symbols.AsSpan(0, count);
    }

    /// <summary>Gives unusually large working memory back.</summary>
    public void Trim()
    {
        if (_symbols.Length > KeptSymbols) _symbols = new Symbol[64];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Split(ReadOnlySpan<char> segment, PieceTable pieces)
    {
        if (_symbols.Length < segment.Length) _symbols = new Symbol[Math.Max(segment.Length, Math.Min(_symbols.Length * 2, KeptSymbols))];
        int count = 0;
        for (int start = 0; start < segment.Length;)
        {
            int length = char.IsHighSurrogate(segment[start]) ? 2 : 1;
            ReadOnlySpan<char> character = segment.Slice(start, length);
            ulong hash = PieceTable.HashOf(character);
            _symbols[count] = new Symbol { Hash = hash, Start = start, Length = length, Id = pieces.Find(character, hash), Previous = count - 1, Next = count + 1 };
            start += length;
            count++;
        }

        _symbols[count - 1].Next = -1;
        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void MergeByScanning(ReadOnlySpan<char> segment, MergeTable merges)
    {
        while (true)
        {
            int best = -1;
            uint bestRank = MergeTable.NoMerge;
            for (int index = 0; index >= 0; index = _symbols[index].Next)
            {
                if (_symbols[index].MergedRank < bestRank)
                {
                    best = index;
                    bestRank = _symbols[index].MergedRank;
                }
            }

            if (best < 0) return;
            Join(segment, merges, best);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void MergeByQueue(ReadOnlySpan<char> segment, MergeTable merges, int count)
    {
        for (int index = 0; index < count; index++) Push(index);
        while (_queue.TryPop(out uint rank, out int index))
        {
            // An entry is stale when its left symbol is gone or has another neighbour by now; the pair it has now has its own entry.
            if (_symbols[index].Length == 0 || _symbols[index].MergedRank != rank) continue;
            Join(segment, merges, index);
            // From left to right, as the queue likes it.
            if (_symbols[index].Previous >= 0) Push(_symbols[index].Previous);
            Push(index);
        }
    }

    private void Push(int index)
    {
        uint rank = _symbols[index].MergedRank;
        if (rank != MergeTable.NoMerge) _queue.Push(rank, index);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Join(ReadOnlySpan<char> segment, MergeTable merges, int index)
    {
        ref Symbol left = ref _symbols[index];
        ref Symbol right = ref _symbols[left.Next];
        left.Hash = merges.Pieces.Concatenate(left.Hash, right.Hash, right.Length);
        left.Length += right.Length;
        left.Id = left.MergedId;
        left.Next = right.Next;
        right.Length = 0;
        if (right.Next >= 0) _symbols[right.Next].Previous = index;
        Rate(segment, merges, index);
        if (left.Previous >= 0) Rate(segment, merges, left.Previous);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Rate(ReadOnlySpan<char> segment, MergeTable merges, int index)
    {
        ref Symbol left = ref _symbols[index];
        left.MergedRank = left.Next < 0 ? MergeTable.NoMerge : merges.Find(segment, left, _symbols[left.Next], out left.MergedId);
    }
}
