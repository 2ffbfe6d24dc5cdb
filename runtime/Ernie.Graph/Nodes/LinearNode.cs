namespace Ernie.Graph;

/// <summary>A product with a weight matrix: <c>output = input · weightᵀ</c>.</summary>
/// <param name="Input">[rows, in].</param>
/// <param name="Weight">[out, in].</param>
/// <param name="Output">[rows, out].</param>
public sealed record LinearNode(ValueId Input, LinearWeight Weight, ValueId Output) : GraphNode
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [Input];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Output];

    /// <inheritdoc/>
    public override IReadOnlyList<LinearWeight> Linears => [Weight];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) => this with { Input = rename(Input), Output = rename(Output) };

    /// <inheritdoc/>
    public override GraphNode ReplaceLinears(Func<LinearWeight, LinearWeight> replace) => this with { Weight = replace(Weight) };
}
