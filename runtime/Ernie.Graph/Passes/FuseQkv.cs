namespace Ernie.Graph;

/// <summary>Computes queries, keys and values by one product.</summary>
public sealed class FuseQkv : IGraphPass
{
    /// <inheritdoc/>
    public string Name => nameof(FuseQkv);

    /// <inheritdoc/>
    public ModelGraph Run(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var editor = new GraphEditor(graph);
        foreach (AttentionNode attention in graph.Nodes.OfType<AttentionNode>())
        {
            if (Projection(editor, attention.Query) is { } query
                && Projection(editor, attention.Key) is { } key
                && Projection(editor, attention.Value) is { } value)
            {
                LinearFusion.TryFuse(graph, editor, [query, key, value]);
            }
        }

        return editor.ToGraph();
    }

    private static LinearNode? Projection(GraphEditor editor, ValueId value) => editor.Producer(value) switch
    {
        LinearNode linear => linear,
        RopeNode rope => Projection(editor, rope.Input),
        HeadNormNode norm => Projection(editor, norm.Input),
        _ => null,
    };
}
