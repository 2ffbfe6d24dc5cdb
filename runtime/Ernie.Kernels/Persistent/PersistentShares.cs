using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Which rows of the weights each block of the persistent kernel has; ernie::Share and ernie::Layout of ernie/persistent.</summary>
/// <param name="Shape">The model.</param>
/// <param name="Clusters">Clusters of eight blocks.</param>
/// <param name="ClusterHeads">Query heads of each of the first clusters, those that attend; 1 or 2.</param>
public sealed record PersistentShares(ModelShape Shape, int Clusters, int ClusterHeads)
{
    /// <summary>Blocks of a cluster: the most that every device of the architecture takes.</summary>
    public const int ClusterBlocks = 8;

    /// <summary>Rows of the head that are multiplied between two barriers; kHeadPieceRows of layout.cuh.</summary>
    public const int HeadPieceRows = 48;

    // Rows are shared out by so many together: bulk copies of scales and stores of pairs stay whole.
    private const int Together = 8;

    /// <summary>Blocks of a launch, one per multiprocessor.</summary>
    public int Blocks => Clusters * ClusterBlocks;

    /// <summary>Clusters that attend.</summary>
    public int QueryClusters => Shape.QueryHeads / ClusterHeads;

    /// <summary>Blocks of clusters that attend.</summary>
    public int QueryBlocks => QueryClusters * ClusterBlocks;

    /// <summary>Blocks of the other clusters, which have keys and values to compute.</summary>
    public int OtherBlocks => Blocks - QueryBlocks;

    /// <summary>Rows of query, key and value of a block, at most.</summary>
    public int MostQueryKeyValueRows => Math.Max(ClusterHeads * Shape.HeadDim / ClusterBlocks, CeilingOf(2 * Shape.KeyValueWidth / Together, OtherBlocks) * Together);

    /// <summary>A cluster's heads and the number of clusters for a model.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="mostClusters">Clusters that may be used.</param>
    public static PersistentShares For(ModelShape shape, int mostClusters)
    {
        int heads = shape.QueryHeads < mostClusters ? 1 : 2, queryClusters = shape.QueryHeads / heads;
        // The blocks that do not attend have rows of every weight each, so that none of them can fall behind the others unnoticed.
        int others = Math.Min(mostClusters - queryClusters, shape.HiddenSize / Together / ClusterBlocks);
        return new PersistentShares(shape, queryClusters + others, heads);
    }

    /// <summary>Rows of a weight that a block has at most.</summary>
    /// <param name="rows">Rows of the weight.</param>
    public int MostRows(int rows)
    {
        int least = Least(rows);
        return Math.Max(least, CeilingOf((rows / Together) - (QueryBlocks * least), OtherBlocks)) * Together;
    }

    /// <summary>A block's rows of the fused query, key and value weight.</summary>
    /// <param name="block">The block.</param>
    public (int First, int Count) QueryKeyValueRows(int block)
    {
        int queryRows = ClusterHeads * Shape.HeadDim / ClusterBlocks;
        if (block < QueryBlocks)
            return (block * queryRows, queryRows);

        (int first, int end) = Spread(2 * Shape.KeyValueWidth / Together, block - QueryBlocks, isLate: true);
        return (Shape.QueryWidth + (first * Together), (end - first) * Together);
    }

    /// <summary>A block's rows of another weight.</summary>
    /// <param name="block">The block.</param>
    /// <param name="rows">Rows of the weight.</param>
    /// <param name="isLate">Which of two orders: the gate and up weight does not have its larger shares where the output and down weights have theirs.</param>
    public (int First, int Count) Rows(int block, int rows, bool isLate)
    {
        int least = Least(rows);
        if (block < QueryBlocks)
            return (block * least * Together, least * Together);

        (int first, int end) = Spread((rows / Together) - (QueryBlocks * least), block - QueryBlocks, isLate);
        return (((QueryBlocks * least) + first) * Together, (end - first) * Together);
    }

    /// <summary>Scales of a weight's groups in the order of the kernel's stream: [blocks, pieces, groups, rows of a piece].</summary>
    /// <param name="scales">[groups, outputs] as the other kernels read them.</param>
    /// <param name="groups">Groups of a row.</param>
    /// <param name="rowsOf">First row and number of rows of each block, in the order of the rows.</param>
    /// <param name="pieceRows">Rows of a piece at most.</param>
    public float[] PackScales(ReadOnlySpan<float> scales, int groups, Func<int, (int First, int Count)> rowsOf, int pieceRows)
    {
        ArgumentNullException.ThrowIfNull(rowsOf);
        int outputs = scales.Length / groups, next = 0;
        float[] packed = new float[scales.Length];
        for (int block = 0; block < Blocks; block++)
        {
            (int first, int count) = rowsOf(block);
            for (int piece = 0; piece < count; piece += pieceRows)
            {
                int rows = Math.Min(pieceRows, count - piece);
                for (int group = 0; group < groups; group++, next += rows)
                    scales.Slice((group * outputs) + first + piece, rows).CopyTo(packed.AsSpan(next));
            }
        }

        return packed;
    }

    /// <summary>Rows, in eights, that every block has at least.</summary>
    internal int Least(int rows) => rows / Together / Blocks;

    private static int CeilingOf(int dividend, int divisor) => (dividend + divisor - 1) / divisor;

    private (int First, int End) Spread(int eights, int index, bool isLate)
    {
        int rounding = isLate ? OtherBlocks - 1 : 0;
        return (((eights * index) + rounding) / OtherBlocks, ((eights * (index + 1)) + rounding) / OtherBlocks);
    }
}
