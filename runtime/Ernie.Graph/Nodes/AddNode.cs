namespace Ernie.Graph;

/// <summary>A sum, element by element.</summary>
/// <param name="Left">[rows, width].</param>
/// <param name="Right">[rows, width].</param>
/// <param name="Output">[rows, width].</param>
public sealed record AddNode(ValueId Left, ValueId Right, ValueId Output) : GraphNode
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [Left, Right];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Output];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) =>
        this with { Left = rename(Left), Right = rename(Right), Output = rename(Output) };
}
