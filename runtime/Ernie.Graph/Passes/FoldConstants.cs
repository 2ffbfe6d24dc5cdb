namespace Ernie.Graph;

/// <summary>Gives all rotations with the same parameters one constant table of cosines and sines.</summary>
public sealed class FoldConstants : IGraphPass
{
    /// <inheritdoc/>
    public string Name => nameof(FoldConstants);

    /// <inheritdoc/>
    public ModelGraph Run(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var editor = new GraphEditor(graph);
        var tables = new Dictionary<RopeParameters, ValueId>();
        foreach (RopeNode rope in graph.Nodes.OfType<RopeNode>().Where(rope => rope.Table is null))
        {
            if (!tables.TryGetValue(rope.Parameters, out ValueId table))
            {
                table = editor.Define(new ValueShape(RowAxis.Positions, rope.Parameters.HeadDim, ElementType.Float32));
                tables.Add(rope.Parameters, table);
                editor.Prepend(new RopeTableNode(rope.Parameters, [.. rope.Parameters.InverseFrequencies()], table));
            }

            editor.Replace(rope, rope with { Table = table });
        }

        return editor.ToGraph();
    }
}
