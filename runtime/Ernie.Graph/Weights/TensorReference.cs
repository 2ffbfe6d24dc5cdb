using System.Collections.Immutable;

namespace Ernie.Graph;

/// <summary>A tensor of the checkpoint by name, with the shape the graph needs; or a slice of one.</summary>
/// <param name="Name">Name in torch layout: <c>model.norm.weight</c>.</param>
/// <param name="Rows">Length of the first dimension; for a projection the number of outputs.</param>
/// <param name="Columns">Length of the second dimension, or null for a vector; for a projection the number of inputs.</param>
public sealed record TensorReference(string Name, int Rows, int? Columns = null)
{
    /// <summary>Where the slice begins, or null for the whole tensor.</summary>
    public TensorSlice? Slice { get; init; }

    /// <summary>The tensor as the checkpoint holds it.</summary>
    public TensorReference Whole => Slice is { } slice ? new TensorReference(Name, slice.WholeRows, slice.WholeColumns) : this;

    /// <summary>Dimensions of what is referred to.</summary>
    public ImmutableArray<int> Dimensions => Columns is int columns ? [Rows, columns] : [Rows];

    /// <summary>Elements of what is referred to.</summary>
    public long ElementCount => (long)Rows * (Columns ?? 1);

    /// <summary>Some of the rows.</summary>
    /// <param name="first">First row, zero-based.</param>
    /// <param name="count">Rows, all inside.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rows are not inside.</exception>
    public TensorReference SliceRows(int first, int count)
    {
        RequireInside(first, count, Rows);
        TensorSlice slice = Slice ?? new TensorSlice(0, 0, Rows, Columns);
        return this with { Rows = count, Slice = slice with { FirstRow = slice.FirstRow + first } };
    }

    /// <summary>Some of the columns of a matrix.</summary>
    /// <param name="first">First column, zero-based.</param>
    /// <param name="count">Columns, all inside.</param>
    /// <exception cref="ArgumentOutOfRangeException">The columns are not inside, or the tensor is a vector.</exception>
    public TensorReference SliceColumns(int first, int count)
    {
        RequireInside(first, count, Columns ?? 0);
        TensorSlice slice = Slice ?? new TensorSlice(0, 0, Rows, Columns);
        return this with { Columns = count, Slice = slice with { FirstColumn = slice.FirstColumn + first } };
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        if (Slice is not { } slice)
        {
            return Columns is int all ? $"{Name} [{Rows}, {all}]" : $"{Name} [{Rows}]";
        }

        string rows = Range(slice.FirstRow, Rows, slice.WholeRows);
        return Columns is int columns ? $"{Name} [{rows}, {Range(slice.FirstColumn, columns, slice.WholeColumns ?? 0)}]" : $"{Name} [{rows}]";
    }

    private static string Range(int first, int count, int whole) => count == whole ? $"{whole}" : $"{first}..{first + count} of {whole}";

    private static void RequireInside(int first, int count, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)first + count, length, nameof(count));
    }
}
