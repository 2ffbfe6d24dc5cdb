using System.Buffers;

namespace Ernie.Tokenization.Bpe;

/// <summary>A growing list of ids in rented memory; <see cref="Dispose"/> returns it.</summary>
internal ref struct IdBuffer(int capacity)
{
    private int[] _items = ArrayPool<int>.Shared.Rent(Math.Max(16, capacity));

    /// <summary>Ids so far.</summary>
    public int Count { get; private set; }

    /// <summary>The ids from an index on.</summary>
    public readonly ReadOnlySpan<int> From(int start) => _items.AsSpan(start, Count - start);

    /// <summary>Adds one id.</summary>
    public void Add(int id)
    {
        if (Count == _items.Length) Grow(Count + 1);
        _items[Count++] = id;
    }

    /// <summary>Adds ids.</summary>
    public void Add(ReadOnlySpan<int> ids)
    {
        if (Count + ids.Length > _items.Length) Grow(Count + ids.Length);
        ids.CopyTo(_items.AsSpan(Count));
        Count += ids.Length;
    }

    /// <summary>Leaves one of each row of equal ids.</summary>
    /// <param name="id">The id.</param>
    /// <param name="start">Index of the first id to look at.</param>
    public void FuseRepeats(int id, int start)
    {
        int kept = start;
        for (int index = start; index < Count; index++)
        {
            if (kept > start && _items[index] == id && _items[kept - 1] == id) continue;
            _items[kept++] = _items[index];
        }

        Count = kept;
    }

    /// <summary>A copy of the ids.</summary>
    public readonly int[] ToArray() => _items.AsSpan(0, Count).ToArray();

    /// <summary>Returns the memory.</summary>
    public readonly void Dispose() => ArrayPool<int>.Shared.Return(_items);

    private void Grow(int needed)
    {
        int[] larger = ArrayPool<int>.Shared.Rent(Math.Max(needed, _items.Length * 2));
        _items.AsSpan(0, Count).CopyTo(larger);
        ArrayPool<int>.Shared.Return(_items);
        _items = larger;
    }
}
