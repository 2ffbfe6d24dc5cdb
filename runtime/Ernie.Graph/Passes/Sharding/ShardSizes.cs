namespace Ernie.Graph;

/// <summary>Into how many parts a graph can be cut.</summary>
public static class ShardSizes
{
    /// <summary>Every number of parts, ascending; 1 is always one.</summary>
    /// <param name="graph">A graph before fusion.</param>
    public static IReadOnlyList<int> Of(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return [.. Enumerable.Range(1, graph.Shape.QueryHeads).Where(size => Obstacle(graph, size) is null)];
    }

    /// <summary>What keeps a graph from being cut into so many parts; null when nothing does.</summary>
    /// <param name="graph">A graph before fusion.</param>
    /// <param name="size">Parts.</param>
    public static string? Obstacle(ModelGraph graph, int size)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ModelShape shape = graph.Shape;
        if (shape.VocabularySize % size != 0)
        {
            return $"{shape.VocabularySize} rows of the vocabulary do not divide by {size}";
        }

        foreach (GraphNode node in graph.Nodes)
        {
            string? obstacle = node switch
            {
                AttentionNode attention when attention.QueryHeads % size != 0 => $"{attention.QueryHeads} query heads do not divide by {size}",
                AttentionNode attention when attention.KeyValueHeads % size != 0 && size % attention.KeyValueHeads != 0 =>
                    $"{attention.KeyValueHeads} key/value heads neither divide by {size} nor into it",
                SwiGluNode gate when graph[gate.Output].Width % size != 0 => $"a feed-forward width of {graph[gate.Output].Width} does not divide by {size}",
                ExpertsNode experts when experts.Projections[0].Gate.OutFeatures % size != 0 =>
                    $"experts of width {experts.Projections[0].Gate.OutFeatures} do not divide by {size}",
                _ => null,
            };
            if (obstacle is not null)
            {
                return obstacle;
            }
        }

        return null;
    }
}
