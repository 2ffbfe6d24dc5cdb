using Ernie.Graph;

namespace Ernie.Weights;

/// <summary>
/// int8 weights, [rows, columns] row-major, with one f32 scale per row: weight = element × scale[row], elements in −127…127.
/// </summary>
public sealed unsafe class Int8Matrix : WeightMatrix
{
    private readonly NativeBuffer _values;
    private readonly NativeBuffer _scales;

    /// <summary>Allocates a matrix whose elements are undefined until written.</summary>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    public Int8Matrix(int rows, int columns)
        : base(rows, columns, WeightEncoding.Int8PerChannel)
    {
        _values = new NativeBuffer((long)rows * columns);
        _scales = new NativeBuffer(sizeof(float) * (long)rows);
    }

    /// <summary>Address of element [0, 0], 64-byte aligned: sbyte [rows, columns].</summary>
    public nint Address => _values.Address;

    /// <summary>Scales, [rows] f32, 64-byte aligned.</summary>
    public ReadOnlySpan<float> Scales => new((void*)_scales.Address, Rows);

    /// <inheritdoc/>
    public override long ByteLength => _values.ByteLength + _scales.ByteLength;

    /// <summary>Elements of one row, [columns].</summary>
    /// <param name="row">Zero-based output feature.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="row"/> is not in the matrix.</exception>
    public ReadOnlySpan<sbyte> Row(int row) => WritableRow(row);

    internal Span<sbyte> WritableRow(int row)
    {
        CheckRow(row);
        return new Span<sbyte>((sbyte*)_values.Address + (long)row * Columns, Columns);
    }

    internal Span<float> WritableScales => new((void*)_scales.Address, Rows);

    private protected override void DequantizeRowCore(int row, Span<float> destination) =>
        Int8Quantizer.Dequantize(Row(row), Scales[row], destination);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        _values.Dispose();
        _scales.Dispose();
    }
}
