namespace Ernie.Graph;

/// <summary>Splits a router into a product, which backends have a kernel for, and the choice of experts.</summary>
public sealed class LowerRouter : IGraphPass
{
    /// <inheritdoc/>
    public string Name => nameof(LowerRouter);

    /// <inheritdoc/>
    public ModelGraph Run(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var editor = new GraphEditor(graph);
        foreach (RouterNode router in graph.Nodes.OfType<RouterNode>())
        {
            ValueId scores = editor.Define(new ValueShape(RowAxis.Tokens, router.Gate.OutFeatures, ElementType.Float32));
            editor.Replace(
                router,
                new LinearNode(router.Input, router.Gate, scores),
                new SelectExpertsNode(scores, router.Correction, router.ExpertsPerToken, router.WeightFloor, router.Weights, router.Experts));
        }

        return editor.ToGraph();
    }
}
