namespace Ernie.Tokenization.Bpe;

/// <summary>The possible merges of a long segment: the smallest rank first, leftmost first among equals.</summary>
/// <remarks>
/// A long segment repeats itself, so most entries share a few ranks and come in ascending order of position. Those wait in one line
/// per rank, and only the first of each line stands in the heap. An entry out of order goes to the heap directly. A megabyte of one
/// character then costs a few steps per character instead of the logarithm of a million.
/// </remarks>
internal sealed class MergeQueue
{
    // Lines and entries beyond these are given back after use.
    private const int KeptLines = 256;
    private const int KeptEntries = 1 << 12;

    private readonly Dictionary<uint, Line> _lines = [];
    private readonly Stack<Line> _free = new();
    private RankHeap _heap = new();
    private Line? _latest;

    /// <summary>Adds an entry.</summary>
    /// <param name="rank">Its rank.</param>
    /// <param name="position">Index of the left symbol.</param>
    public void Push(uint rank, int position)
    {
        Line line = FindOrAdd(rank);
        if (line.IsWaiting && position >= line.Last)
        {
            line.Add(position);
            return;
        }

        _heap.Push(rank, position);
        if (!line.IsWaiting) line.Begin(position);
    }

    /// <summary>Takes the first entry.</summary>
    /// <returns>False when there is none; the queue is then ready for the next segment.</returns>
    public bool TryPop(out uint rank, out int position)
    {
        if (_heap.Count == 0)
        {
            (rank, position) = (0, 0);
            Reset();
            return false;
        }

        (rank, position) = _heap.Pop();
        // An entry out of order that equals the line's first is as good as it.
        Line line = FindOrAdd(rank);
        if (line.IsWaiting && line.First == position && line.MoveNext()) _heap.Push(rank, line.First);
        return true;
    }

    private Line FindOrAdd(uint rank)
    {
        if (_latest is { } latest && latest.Rank == rank) return latest;
        if (!_lines.TryGetValue(rank, out Line? line))
        {
            line = _free.Count > 0 ? _free.Pop() : new Line();
            line.Rank = rank;
            _lines.Add(rank, line);
        }

        return _latest = line;
    }

    private void Reset()
    {
        foreach (Line line in _lines.Values)
            if (_free.Count < KeptLines && line.Capacity <= KeptEntries) _free.Push(line);
        _lines.Clear();
        _latest = null;
        if (_heap.Capacity > KeptEntries) _heap = new RankHeap();
    }

    /// <summary>Positions of one rank in ascending order; the first of them stands in the heap.</summary>
    private sealed class Line
    {
        private int[] _positions = new int[4];
        private int _first;
        private int _count;

        public uint Rank { get; set; }

        public bool IsWaiting => _first < _count;

        public int First => _positions[_first];

        public int Last => _positions[_count - 1];

        public int Capacity => _positions.Length;

        public void Begin(int position)
        {
            (_first, _count) = (0, 1);
            _positions[0] = position;
        }

        public void Add(int position)
        {
            if (_count == _positions.Length) Array.Resize(ref _positions, _count * 2);
            _positions[_count++] = position;
        }

        public bool MoveNext() => ++_first < _count;
    }
}
