namespace Ernie.Graph;

/// <summary>The sum of a value over all parts of a model, in the order of their ranks: made by <see cref="ShardLinears"/>.</summary>
/// <param name="Input">[rows, width], this part's summand.</param>
/// <param name="Output">[rows, width], the same on every part.</param>
public sealed record AllReduceNode(ValueId Input, ValueId Output) : GraphNode
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [Input];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Output];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) => this with { Input = rename(Input), Output = rename(Output) };
}
