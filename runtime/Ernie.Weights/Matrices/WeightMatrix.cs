using System.Runtime.CompilerServices;
using Ernie.Graph;

namespace Ernie.Weights;

/// <summary>
/// The weights of one linear layer in their canonical form: [rows = out, columns = in], row-major. Backends repack it into
/// the layout of their kernels; the arithmetic is defined here, so that every backend computes with the same numbers.
/// </summary>
/// <remarks>The owner disposes it; the memory is unmanaged and is read-only after loading.</remarks>
public abstract class WeightMatrix : IDisposable
{
    private protected WeightMatrix(int rows, int columns, WeightEncoding encoding)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        Rows = rows;
        Columns = columns;
        Encoding = encoding;
    }

    /// <summary>Output features.</summary>
    public int Rows { get; }

    /// <summary>Input features.</summary>
    public int Columns { get; }

    /// <summary>How the elements are stored.</summary>
    public WeightEncoding Encoding { get; }

    /// <summary>Bytes of elements and scales together.</summary>
    public abstract long ByteLength { get; }

    /// <summary>Writes row <paramref name="row"/> as the f32 values that the stored elements stand for.</summary>
    /// <param name="row">Zero-based output feature.</param>
    /// <param name="destination">[columns]; overwritten.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="row"/> is not in the matrix.</exception>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than a row.</exception>
    public void DequantizeRow(int row, Span<float> destination)
    {
        CheckRow(row);
        if (destination.Length < Columns)
            throw new ArgumentException($"A row has {Columns} elements; the destination holds {destination.Length}.", nameof(destination));
        DequantizeRowCore(row, destination[..Columns]);
    }

    /// <summary>Frees the memory. Spans and addresses taken from the matrix must no longer be used.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the derived matrix owns.</summary>
    /// <param name="disposing">True when called from <see cref="Dispose()"/>.</param>
    protected abstract void Dispose(bool disposing);

    private protected abstract void DequantizeRowCore(int row, Span<float> destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected void CheckRow(int row)
    {
        if ((uint)row >= (uint)Rows)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"The matrix has {Rows} rows.");
    }
}
