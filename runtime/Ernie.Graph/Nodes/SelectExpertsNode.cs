namespace Ernie.Graph;

/// <summary>The second half of a lowered router: softmax, choice and weights from the experts' scores.</summary>
/// <param name="Scores">[tokens, experts] f32.</param>
/// <param name="Correction">[1, experts], added when choosing and not when weighting.</param>
/// <param name="ExpertsPerToken">Experts chosen per token.</param>
/// <param name="WeightFloor">Smallest divisor of the weights.</param>
/// <param name="Weights">[tokens, expertsPerToken] f32.</param>
/// <param name="Experts">[tokens, expertsPerToken] i32, indices of the experts.</param>
public sealed record SelectExpertsNode(
    ValueId Scores, TensorReference Correction, int ExpertsPerToken, double WeightFloor, ValueId Weights, ValueId Experts) : GraphNode
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [Scores];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Weights, Experts];

    /// <inheritdoc/>
    public override IReadOnlyList<TensorReference> Tensors => [Correction];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) =>
        this with { Scores = rename(Scores), Weights = rename(Weights), Experts = rename(Experts) };
}
