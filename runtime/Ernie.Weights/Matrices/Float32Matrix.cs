using Ernie.Graph;

namespace Ernie.Weights;

/// <summary>f32 weights, [rows, columns] row-major: routers, which are never rounded.</summary>
public sealed unsafe class Float32Matrix : WeightMatrix
{
    private readonly NativeBuffer _values;

    /// <summary>Allocates a matrix whose elements are undefined until written.</summary>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    public Float32Matrix(int rows, int columns)
        : base(rows, columns, WeightEncoding.Float32)
    {
        _values = new NativeBuffer(sizeof(float) * (long)rows * columns);
    }

    /// <summary>Address of element [0, 0], 64-byte aligned.</summary>
    public nint Address => _values.Address;

    /// <inheritdoc/>
    public override long ByteLength => _values.ByteLength;

    /// <summary>Elements of one row, [columns].</summary>
    /// <param name="row">Zero-based output feature.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="row"/> is not in the matrix.</exception>
    public ReadOnlySpan<float> Row(int row) => WritableRow(row);

    internal Span<float> WritableRow(int row)
    {
        CheckRow(row);
        return new Span<float>((float*)_values.Address + (long)row * Columns, Columns);
    }

    private protected override void DequantizeRowCore(int row, Span<float> destination) => Row(row).CopyTo(destination);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _values.Dispose();
    }
}
