namespace Ernie.Graph;

/// <summary>Rotates heads by the position of each token in its own sequence (rotary embedding).</summary>
/// <param name="Input">[tokens, heads × headDim].</param>
/// <param name="Heads">Heads in a row.</param>
/// <param name="Parameters">Frequencies.</param>
/// <param name="Output">[tokens, heads × headDim].</param>
public sealed record RopeNode(ValueId Input, int Heads, RopeParameters Parameters, ValueId Output) : GraphNode
{
    /// <summary>Which two elements of a head rotate together.</summary>
    public RopePairing Pairing { get; init; }

    /// <summary>The folded table, or null before <see cref="FoldConstants"/>.</summary>
    public ValueId? Table { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => Table is ValueId table ? [Input, table] : [Input];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Output];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) => this with
    {
        Input = rename(Input),
        Table = Table is ValueId table ? rename(table) : null,
        Output = rename(Output),
    };
}
