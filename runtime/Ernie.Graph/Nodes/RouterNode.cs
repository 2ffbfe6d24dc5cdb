namespace Ernie.Graph;

/// <summary>
/// Chooses experts: p = softmax(input · gateᵀ) in f32, the <paramref name="ExpertsPerToken"/> greatest p + correction, and their p divided by max(Σ p, floor).
/// <see cref="LowerRouter"/> replaces it by a product and a selection.
/// </summary>
/// <param name="Input">[tokens, hidden].</param>
/// <param name="Gate">[experts, hidden].</param>
/// <param name="Correction">[1, experts], added when choosing and not when weighting.</param>
/// <param name="ExpertsPerToken">Experts chosen per token.</param>
/// <param name="WeightFloor">Smallest divisor of the weights.</param>
/// <param name="Weights">[tokens, expertsPerToken] f32.</param>
/// <param name="Experts">[tokens, expertsPerToken] i32, indices of the experts.</param>
public sealed record RouterNode(
    ValueId Input, LinearWeight Gate, TensorReference Correction, int ExpertsPerToken, double WeightFloor, ValueId Weights, ValueId Experts) : GraphNode
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [Input];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Weights, Experts];

    /// <inheritdoc/>
    public override IReadOnlyList<LinearWeight> Linears => [Gate];

    /// <inheritdoc/>
    public override IReadOnlyList<TensorReference> Tensors => [Correction];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) =>
        this with { Input = rename(Input), Weights = rename(Weights), Experts = rename(Experts) };

    /// <inheritdoc/>
    public override GraphNode ReplaceLinears(Func<LinearWeight, LinearWeight> replace) => this with { Gate = replace(Gate) };
}
