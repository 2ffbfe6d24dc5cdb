namespace Ernie.Graph;

/// <summary>Computes gate and up projections by one product.</summary>
public sealed class FuseGateUp : IGraphPass
{
    /// <inheritdoc/>
    public string Name => nameof(FuseGateUp);

    /// <inheritdoc/>
    public ModelGraph Run(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var editor = new GraphEditor(graph);
        foreach (SwiGluNode swiGlu in graph.Nodes.OfType<SwiGluNode>())
        {
            if (editor.Producer(swiGlu.Gate) is LinearNode gate && editor.Producer(swiGlu.Up) is LinearNode up)
            {
                LinearFusion.TryFuse(graph, editor, [gate, up]);
            }
        }

        return editor.ToGraph();
    }
}
