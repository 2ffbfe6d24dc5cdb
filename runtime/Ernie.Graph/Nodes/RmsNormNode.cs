namespace Ernie.Graph;

/// <summary>Root-mean-square norm: <c>x / √(mean(x²) + ε) · weight</c>, the mean in f32.</summary>
/// <param name="Input">[rows, width].</param>
/// <param name="Weight">[width].</param>
/// <param name="Epsilon">Added to the mean square.</param>
/// <param name="Output">[rows, width].</param>
/// <remarks>Source: Zhang and Sennrich, arXiv:1910.07467.</remarks>
public sealed record RmsNormNode(ValueId Input, TensorReference Weight, double Epsilon, ValueId Output) : GraphNode
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [Input];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Output];

    /// <inheritdoc/>
    public override IReadOnlyList<TensorReference> Tensors => [Weight];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) => this with { Input = rename(Input), Output = rename(Output) };
}
