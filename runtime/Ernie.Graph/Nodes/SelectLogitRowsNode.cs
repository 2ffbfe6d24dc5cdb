namespace Ernie.Graph;

/// <summary>Gathers the rows whose logits the step wants, in the order of the batch.</summary>
/// <param name="Input">[tokens, width].</param>
/// <param name="Output">[logitRows, width].</param>
public sealed record SelectLogitRowsNode(ValueId Input, ValueId Output) : GraphNode
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [Input];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Output];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) => this with { Input = rename(Input), Output = rename(Output) };
}
