namespace Ernie.Graph;

/// <summary>Root-mean-square norm of every head by itself: <c>x / √(mean(x²) + ε) · weight</c>, the mean over one head in f32.</summary>
/// <param name="Input">[tokens, heads × headDim].</param>
/// <param name="Heads">Heads in a row.</param>
/// <param name="Weight">[headDim], the same for all heads.</param>
/// <param name="Epsilon">Added to the mean square.</param>
/// <param name="Output">[tokens, heads × headDim].</param>
/// <remarks>Source: Henry et al., arXiv:2010.04245; Qwen3 in huggingface/transformers, <c>models/qwen3</c>.</remarks>
public sealed record HeadNormNode(ValueId Input, int Heads, TensorReference Weight, double Epsilon, ValueId Output) : GraphNode
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
