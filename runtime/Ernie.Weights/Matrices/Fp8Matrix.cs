using Ernie.Graph;

namespace Ernie.Weights;

/// <summary>
/// FP8 e4m3 weights, [rows, columns] bytes row-major, with an f32 scale per 128 × 128 block:
/// weight = decode(byte) × scale[row / 128, column / 128]. Blocks at the lower and right edges may be smaller.
/// </summary>
public sealed unsafe class Fp8Matrix : WeightMatrix
{
    /// <summary>Rows and columns of a block that shares a scale.</summary>
    public const int BlockSize = WeightEncoding.Fp8BlockSize;

    private readonly NativeBuffer _values;
    private readonly NativeBuffer _scales;

    /// <summary>Allocates a matrix whose elements are undefined until written.</summary>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    public Fp8Matrix(int rows, int columns)
        : base(rows, columns, WeightEncoding.Fp8Block128)
    {
        RowBlocks = (rows + BlockSize - 1) / BlockSize;
        ColumnBlocks = (columns + BlockSize - 1) / BlockSize;
        _values = new NativeBuffer((long)rows * columns);
        _scales = new NativeBuffer(sizeof(float) * (long)RowBlocks * ColumnBlocks);
    }

    /// <summary>Blocks down the rows.</summary>
    public int RowBlocks { get; }

    /// <summary>Blocks along the columns.</summary>
    public int ColumnBlocks { get; }

    /// <summary>Address of element [0, 0], 64-byte aligned: e4m3 byte [rows, columns].</summary>
    public nint Address => _values.Address;

    /// <summary>Scales, [rowBlocks, columnBlocks] f32, 64-byte aligned.</summary>
    public ReadOnlySpan<float> Scales => new((void*)_scales.Address, RowBlocks * ColumnBlocks);

    /// <inheritdoc/>
    public override long ByteLength => _values.ByteLength + _scales.ByteLength;

    /// <summary>Elements of one row, [columns].</summary>
    /// <param name="row">Zero-based output feature.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="row"/> is not in the matrix.</exception>
    public ReadOnlySpan<byte> Row(int row) => WritableRow(row);

    /// <summary>Scales of the blocks that hold one row, [columnBlocks].</summary>
    /// <param name="row">Zero-based output feature.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="row"/> is not in the matrix.</exception>
    public ReadOnlySpan<float> RowScales(int row)
    {
        CheckRow(row);
        return Scales.Slice(row / BlockSize * ColumnBlocks, ColumnBlocks);
    }

    internal Span<byte> WritableRow(int row) => WritableRows(row, 1);

    internal Span<byte> WritableRows(int firstRow, int rowCount)
    {
        CheckRow(firstRow);
        CheckRow(firstRow + rowCount - 1);
        return new Span<byte>((byte*)_values.Address + (long)firstRow * Columns, rowCount * Columns);
    }

    internal Span<float> WritableScales => new((void*)_scales.Address, RowBlocks * ColumnBlocks);

    private protected override void DequantizeRowCore(int row, Span<float> destination) =>
        Fp8Quantizer.DequantizeRow(Row(row), RowScales(row), destination);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        _values.Dispose();
        _scales.Dispose();
    }
}
