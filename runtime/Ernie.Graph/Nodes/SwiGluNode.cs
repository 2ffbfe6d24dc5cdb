namespace Ernie.Graph;

/// <summary>Gated activation: <c>silu(gate) · up</c>, with <c>silu(x) = x / (1 + e^−x)</c>.</summary>
/// <param name="Gate">[rows, width].</param>
/// <param name="Up">[rows, width].</param>
/// <param name="Output">[rows, width].</param>
public sealed record SwiGluNode(ValueId Gate, ValueId Up, ValueId Output) : GraphNode
{
    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [Gate, Up];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Output];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) =>
        this with { Gate = rename(Gate), Up = rename(Up), Output = rename(Output) };
}
