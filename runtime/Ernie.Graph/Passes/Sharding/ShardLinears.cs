using static Ernie.Graph.GraphDiagnosticIds;

namespace Ernie.Graph;

/// <summary>
/// Cuts a graph into the part of one rank: heads and the widths inside feed-forward parts and experts by rank, key/value heads repeated where there are
/// fewer than ranks, embedding and head by vocabulary. <see cref="AllReduceNode"/> stands where summands of the ranks meet.
/// </summary>
/// <remarks>
/// Nothing is matched by position: every value is whole, split by rank, or a summand, and each operation says what it makes of that. A part of one is the
/// graph itself. Source: Shoeybi et al., arXiv:1909.08053, §3.
/// </remarks>
/// <param name="shard">Which part.</param>
public sealed class ShardLinears(ShardShape shard) : IGraphPass
{
    /// <inheritdoc/>
    public string Name => nameof(ShardLinears);

    /// <inheritdoc/>
    /// <exception cref="GraphException">Numbers of the model do not divide, or an operation cannot be cut.</exception>
    public ModelGraph Run(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentOutOfRangeException.ThrowIfLessThan(shard.Size, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(shard.Rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard.Rank, shard.Size);
        if (shard.Size == 1)
        {
            return graph;
        }

        if (ShardSizes.Obstacle(graph, shard.Size) is { } obstacle)
        {
            string message = $"{obstacle}; this model can be cut into {string.Join(", ", ShardSizes.Of(graph))}.";
            throw new GraphException($"a part of {shard.Size}", [new GraphDiagnostic(InvalidShard, -1, message)]);
        }

        return new ShardRewriter(graph, shard).Rewrite();
    }
}
