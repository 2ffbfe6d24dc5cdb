namespace Ernie.Graph;

/// <summary>A view of some columns of a value; executors copy nothing for it.</summary>
/// <param name="Input">[rows, inputWidth].</param>
/// <param name="Start">First column.</param>
/// <param name="Width">Columns.</param>
/// <param name="Output">[rows, width].</param>
public sealed record SliceNode(ValueId Input, int Start, int Width, ValueId Output) : GraphNode
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [Input];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Output];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) => this with { Input = rename(Input), Output = rename(Output) };
}
