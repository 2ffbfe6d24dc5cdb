namespace Ernie.Graph;

/// <summary>
/// Causal attention of grouped query heads over the paged cache. Writes the new tokens' keys and values to the layer's pages first.
/// </summary>
/// <param name="LayerIndex">Layer of the cache, zero-based.</param>
/// <param name="Query">[tokens, queryHeads × headDim], rotated.</param>
/// <param name="Key">[tokens, keyValueHeads × headDim], rotated.</param>
/// <param name="Value">[tokens, keyValueHeads × headDim].</param>
/// <param name="QueryHeads">Query heads.</param>
/// <param name="KeyValueHeads">Key/value heads; query head h reads head h / (queryHeads / keyValueHeads).</param>
/// <param name="HeadDim">Width of a head; scores are divided by its square root.</param>
/// <param name="Output">[tokens, queryHeads × headDim].</param>
public sealed record AttentionNode(
    int LayerIndex, ValueId Query, ValueId Key, ValueId Value, int QueryHeads, int KeyValueHeads, int HeadDim, ValueId Output) : GraphNode
{
    /// <summary>Multiplies the products of queries and keys.</summary>
    public float Scale => (float)(1.0 / Math.Sqrt(HeadDim));

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Inputs => [Query, Key, Value];

    /// <inheritdoc/>
    public override IReadOnlyList<ValueId> Outputs => [Output];

    /// <inheritdoc/>
    public override GraphNode Rename(Func<ValueId, ValueId> rename) => this with
    {
        Query = rename(Query),
        Key = rename(Key),
        Value = rename(Value),
        Output = rename(Output),
    };
}
