namespace Ernie.Tokenization.Bpe;

/// <summary>Finds the longest of a set of spellings at a place in a text. Immutable once built.</summary>
internal sealed class SpellingTrie
{
    private readonly Dictionary<ulong, int> _edges = [];
    private readonly List<int> _idByNode = [-1];
    private readonly ulong[] _starts = new ulong[1 << 10];

    /// <summary>Whether there are no spellings.</summary>
    public bool IsEmpty => _idByNode.Count == 1;

    /// <summary>Adds a spelling, at least one character long; a second id for the same spelling is ignored.</summary>
    public void Add(ReadOnlySpan<char> spelling, int id)
    {
        _starts[spelling[0] >> 6] |= 1UL << (spelling[0] & 63);
        int node = 0;
        foreach (char next in spelling)
        {
            if (!_edges.TryGetValue(Edge(node, next), out int child))
            {
                child = _idByNode.Count;
                _idByNode.Add(-1);
                _edges.Add(Edge(node, next), child);
            }

            node = child;
        }

        if (_idByNode[node] < 0) _idByNode[node] = id;
    }

    /// <summary>Whether a spelling begins with this character: a cheap test before <see cref="Match"/>.</summary>
    public bool MayStartWith(char first) => (_starts[first >> 6] >> (first & 63) & 1) != 0;

    /// <summary>Finds the longest spelling that the text begins with.</summary>
    /// <param name="text">The text.</param>
    /// <param name="id">Its id.</param>
    /// <returns>Its length in UTF-16 units, or 0.</returns>
    public int Match(ReadOnlySpan<char> text, out int id)
    {
        id = -1;
        int length = 0, node = 0;
        for (int index = 0; index < text.Length && _edges.TryGetValue(Edge(node, text[index]), out node); index++)
        {
            if (_idByNode[node] < 0) continue;
            id = _idByNode[node];
            length = index + 1;
        }

        return length;
    }

    private static ulong Edge(int node, char next) => ((ulong)(uint)node << 16) | next;
}
