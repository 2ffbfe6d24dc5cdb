namespace Ernie.Graph;

/// <summary>Joins a residual sum and the norm that reads it, so that the row is passed over once.</summary>
public sealed class FuseResidualNorm : IGraphPass
{
    /// <inheritdoc/>
    public string Name => nameof(FuseResidualNorm);

    /// <inheritdoc/>
    public ModelGraph Run(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var editor = new GraphEditor(graph);
        var fusedSums = new HashSet<ValueId>();
        foreach (RmsNormNode norm in graph.Nodes.OfType<RmsNormNode>())
        {
            // A second norm of the same sum stays as it is.
            if (editor.Producer(norm.Input) is AddNode add && fusedSums.Add(add.Output))
            {
                // In the sum's place: other readers of the sum may come before the norm.
                editor.Replace(add, new AddRmsNormNode(add.Left, add.Right, norm.Weight, norm.Epsilon, add.Output, norm.Output));
                editor.Replace(norm);
            }
        }

        return editor.ToGraph();
    }
}
