namespace Ernie.Graph;

/// <summary>A value of a graph, defined by exactly one node.</summary>
/// <param name="Index">Index into <see cref="ModelGraph.Values"/>.</param>
public readonly record struct ValueId(int Index)
{
    /// <inheritdoc/>
    public override string ToString() => $"%{Index}";
}
