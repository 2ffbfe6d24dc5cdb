namespace Ernie.Graph;

/// <summary>Looks the step's token ids up: <c>output = table[ids]</c>; ids outside a slice of the table give zeros.</summary>
/// <param name="Table">[vocabulary, hidden], or some of its rows; never quantised.</param>
/// <param name="Output">[tokens, hidden].</param>
public sealed record EmbedNode(TensorReference Table, ValueId Output) : GraphNode
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Output];

    /// <inheritdoc/>
    public override IReadOnlyList<TensorReference> Tensors => [Table];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) => this with { Output = rename(Output) };
}
