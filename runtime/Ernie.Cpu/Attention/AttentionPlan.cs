using Ernie.Cpu.Operations;

namespace Ernie.Cpu.Attention;

/// <summary>
/// Cuts the attention of a slice into units, the same for every layer. Long sequences are split along their pages where there are fewer units than
/// workers; the parts are merged afterwards.
/// </summary>
internal sealed class AttentionPlan
{
    /// <summary>Rows (token × query head of the group) of a unit at most, unless one token has more.</summary>
    internal const int RowsPerUnit = 64;

    private const int TokensPerPage = 64;

    private readonly int _heads;
    private readonly int _workers;
    private readonly AttentionUnit[] _units;
    private readonly int[] _merges;

    /// <param name="heads">Key/value heads.</param>
    /// <param name="group">Query heads per key/value head.</param>
    /// <param name="workers">Workers.</param>
    /// <param name="maxTokens">Tokens of a slice at most.</param>
    internal AttentionPlan(int heads, int group, int workers, int maxTokens)
    {
        _heads = heads;
        _workers = workers;
        Group = group;
        TokensPerUnit = Math.Max(1, RowsPerUnit / group);
        MaxPartials = 4 * workers;
        _units = new AttentionUnit[(maxTokens * heads) + MaxPartials];
        _merges = new int[MaxPartials];
    }

    /// <summary>Query heads per key/value head.</summary>
    internal int Group { get; }

    /// <summary>Tokens of a unit at most.</summary>
    internal int TokensPerUnit { get; }

    /// <summary>Partial results at most.</summary>
    internal int MaxPartials { get; }

    /// <summary>Units of the slice.</summary>
    internal int Count { get; private set; }

    /// <summary>Results that consist of parts.</summary>
    internal int MergeCount { get; private set; }

    /// <summary>A unit.</summary>
    internal ref readonly AttentionUnit this[int index] => ref _units[index];

    /// <summary>First unit of a result that consists of parts; the others follow it.</summary>
    internal ref readonly AttentionUnit MergeFirst(int merge, out int firstUnit)
    {
        firstUnit = _merges[merge];
        return ref _units[firstUnit];
    }

    /// <summary>Cuts a slice.</summary>
    internal void Build(SliceState slice)
    {
        Count = 0;
        MergeCount = 0;
        int whole = 0;
        for (int segment = 0; segment < slice.Segments; segment++)
            whole += (slice.SegmentCount[segment] + TokensPerUnit - 1) / TokensPerUnit * _heads;
        int parts = whole < _workers ? Math.Min((2 * _workers) / whole, MaxPartials / whole) : 1;
        int partials = 0;
        for (int segment = slice.Segments - 1; segment >= 0; segment--)
        {
            // Last tokens first: they see the most pages, and long units at the end would leave workers idle.
            int tiles = (slice.SegmentCount[segment] + TokensPerUnit - 1) / TokensPerUnit;
            for (int tile = tiles - 1; tile >= 0; tile--)
                AddTile(slice, segment, tile, parts, ref partials);
        }
    }

    private void AddTile(SliceState slice, int segment, int tile, int parts, ref int partials)
    {
        int offset = tile * TokensPerUnit;
        int first = slice.SegmentFirstToken[segment] + offset;
        int tokens = Math.Min(TokensPerUnit, slice.SegmentCount[segment] - offset);
        int pages = (slice.Position[first + tokens - 1] / TokensPerPage) + 1;
        for (int head = 0; head < _heads; head++)
        {
            int count = tokens == 1 ? Math.Min(parts, pages) : 1;
            if (count == 1)
            {
                _units[Count++] = new AttentionUnit(segment, first, tokens, head, 0, pages, -1);
                continue;
            }

            _merges[MergeCount++] = Count;
            for (int part = 0; part < count; part++)
                _units[Count++] = new AttentionUnit(segment, first, tokens, head, pages * part / count, pages * (part + 1) / count, partials++);
        }
    }
}
