using System.Collections.Immutable;

namespace Ernie.Graph;

/// <summary>A tensor of the checkpoint by name, with the shape the graph needs.</summary>
/// <param name="Name">Name in torch layout: <c>model.norm.weight</c>.</param>
/// <param name="Rows">Length of the first dimension; for a projection the number of outputs.</param>
/// <param name="Columns">Length of the second dimension, or null for a vector; for a projection the number of inputs.</param>
public sealed record TensorReference(string Name, int Rows, int? Columns = null)
{
    /// <summary>Dimensions as a checkpoint lists them.</summary>
    public ImmutableArray<int> Dimensions => Columns is int columns ? [Rows, columns] : [Rows];

    /// <summary>Elements in the tensor.</summary>
    public long ElementCount => (long)Rows * (Columns ?? 1);

    /// <inheritdoc/>
    public override string ToString() => Columns is int columns ? $"{Name} [{Rows}, {columns}]" : $"{Name} [{Rows}]";
}
