namespace Ernie.Tokenization.Bpe;

/// <summary>A 4-ary min-heap of (rank, position) packed into one number: the next merge is the smallest rank, leftmost first.</summary>
internal sealed class RankHeap
{
    private ulong[] _items = new ulong[64];

    /// <summary>Entries in the heap.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of memory it holds on to, in entries.</summary>
    public int Capacity => _items.Length;

    /// <summary>Adds an entry.</summary>
    public void Push(uint rank, int position)
    {
        if (Count == _items.Length) Array.Resize(ref _items, _items.Length * 2);
        ulong item = ((ulong)rank << 32) | (uint)position;
        int index = Count++;
        while (index > 0)
        {
            int parent = (index - 1) >> 2;
            if (_items[parent] <= item) break;
            _items[index] = _items[parent];
            index = parent;
        }

        _items[index] = item;
    }

    /// <summary>Takes the smallest entry; the heap must not be empty.</summary>
    public (uint Rank, int Position) Pop()
    {
        ulong top = _items[0];
        ulong last = _items[--Count];
        int index = 0;
        while (true)
        {
            int child = (index << 2) + 1;
            if (child >= Count) break;
            int end = Math.Min(child + 4, Count);
            int smallest = child;
            for (int other = child + 1; other < end; other++)
                if (_items[other] < _items[smallest]) smallest = other;
            if (_items[smallest] >= last) break;
            _items[index] = _items[smallest];
            index = smallest;
        }

        _items[index] = last;
        return ((uint)(top >> 32), (int)(uint)top);
    }
}
