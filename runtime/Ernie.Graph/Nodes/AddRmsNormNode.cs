namespace Ernie.Graph;

/// <summary>A residual sum and its norm in one pass over the row: made by <see cref="FuseResidualNorm"/>.</summary>
/// <param name="Left">[rows, width], the residual stream.</param>
/// <param name="Right">[rows, width], what a block adds to it.</param>
/// <param name="Weight">[width].</param>
/// <param name="Epsilon">Added to the mean square.</param>
/// <param name="Sum">[rows, width], the new residual stream.</param>
/// <param name="Normalized">[rows, width], the norm of <paramref name="Sum"/>.</param>
public sealed record AddRmsNormNode(
    ValueId Left, ValueId Right, TensorReference Weight, double Epsilon, ValueId Sum, ValueId Normalized) : GraphNode
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [Left, Right];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Sum, Normalized];

    /// <inheritdoc/>
    public override IReadOnlyList<TensorReference> Tensors => [Weight];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) => this with
    {
        Left = rename(Left),
        Right = rename(Right),
        Sum = rename(Sum),
        Normalized = rename(Normalized),
    };
}
