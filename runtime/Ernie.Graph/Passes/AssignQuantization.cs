namespace Ernie.Graph;

/// <summary>Gives every linear weight the encoding that a recipe names for its role.</summary>
/// <param name="recipe">Encodings by role.</param>
public sealed class AssignQuantization(QuantizationRecipe recipe) : IGraphPass
{
    /// <inheritdoc/>
    public string Name => nameof(AssignQuantization);

    /// <inheritdoc/>
    public ModelGraph Run(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var editor = new GraphEditor(graph);
        foreach (GraphNode node in graph.Nodes)
        {
            if (node.Linears.Any(weight => Encode(weight) != weight))
            {
                editor.Replace(node, node.ReplaceLinears(Encode));
            }
        }

        return editor.ToGraph();
    }

    private LinearWeight Encode(LinearWeight weight)
    {
        WeightEncoding encoding = recipe.EncodingFor(weight.Role, weight.InFeatures);
        return encoding == weight.Encoding ? weight : weight with { Encoding = encoding };
    }
}
