namespace Ernie.Graph;

/// <summary>Checks every rule before anything is rewritten, so that a fault of the model is not blamed on a pass.</summary>
public sealed class VerifyShapes : IGraphPass
{
    /// <inheritdoc/>
    public string Name => nameof(VerifyShapes);

    /// <inheritdoc/>
    public ModelGraph Run(ModelGraph graph)
    {
        GraphVerifier.ThrowIfInvalid(graph, "the model's graph");
        return graph;
    }
}
