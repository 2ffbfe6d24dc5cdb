using Ernie.Graph;

namespace Ernie.Weights;

/// <summary>
/// int4 weights, [rows, columns / 2] bytes row-major: the low nibble holds the even column, the high nibble the odd one.
/// A nibble is stored with bias 8, so that weight = (nibble − 8) × scale[row, column / groupSize].
/// </summary>
/// <remarks>Scales are f32 whose values are exactly representable in IEEE half precision, so that a backend may keep them in 2 bytes.
/// A scale may be negative: that gives the range −7…8 to a group whose largest weight is positive.</remarks>
public sealed unsafe class Int4Matrix : WeightMatrix
{
    private readonly NativeBuffer _values;
    private readonly NativeBuffer _scales;

    /// <summary>Allocates a matrix whose elements are undefined until written.</summary>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features; even.</param>
    /// <param name="groupSize">Consecutive columns that share a scale: 128, 64 or <paramref name="columns"/>.</param>
    /// <exception cref="ArgumentException">Columns are odd or not a multiple of the group size, or the group size is not one of the three.</exception>
    public Int4Matrix(int rows, int columns, int groupSize)
        : base(rows, columns, EncodingOf(columns, groupSize))
    {
        GroupSize = groupSize;
        _values = new NativeBuffer((long)rows * columns / 2);
        _scales = new NativeBuffer(sizeof(float) * (long)rows * GroupsPerRow);
    }

    /// <summary>Consecutive columns that share a scale.</summary>
    public int GroupSize { get; }

    /// <summary>Scales of one row.</summary>
    public int GroupsPerRow => Columns / GroupSize;

    /// <summary>Address of the byte that holds [0, 0] and [0, 1], 64-byte aligned: byte [rows, columns / 2].</summary>
    public nint Address => _values.Address;

    /// <inheritdoc/>
    public override long ByteLength => _values.ByteLength + _scales.ByteLength;

    /// <summary>Packed elements of one row, [columns / 2].</summary>
    /// <param name="row">Zero-based output feature.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="row"/> is not in the matrix.</exception>
    public ReadOnlySpan<byte> Row(int row) => WritableRow(row);

    /// <summary>Scales of one row, [groupsPerRow].</summary>
    /// <param name="row">Zero-based output feature.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="row"/> is not in the matrix.</exception>
    public ReadOnlySpan<float> RowScales(int row) => WritableRowScales(row);

    internal Span<byte> WritableRow(int row)
    {
        CheckRow(row);
        return new Span<byte>((byte*)_values.Address + (long)row * (Columns / 2), Columns / 2);
    }

    internal Span<float> WritableRowScales(int row)
    {
        CheckRow(row);
        return new Span<float>((float*)_scales.Address + (long)row * GroupsPerRow, GroupsPerRow);
    }

    private protected override void DequantizeRowCore(int row, Span<float> destination) =>
        Int4Quantizer.Dequantize(Row(row), RowScales(row), GroupSize, destination);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        _values.Dispose();
        _scales.Dispose();
    }

    private static WeightEncoding EncodingOf(int columns, int groupSize)
    {
        if (columns <= 0 || columns % 2 != 0)
            throw new ArgumentException($"int4 packs two columns in a byte; {columns} columns are not a positive even number.", nameof(columns));
        if (groupSize <= 0 || columns % groupSize != 0)
            throw new ArgumentException($"{columns} columns are not a multiple of the group size {groupSize}.", nameof(groupSize));
        return groupSize switch
        {
            128 or 64 => WeightEncoding.Int4Group(groupSize),
            _ when groupSize == columns => WeightEncoding.Int4PerChannel,
            _ => throw new ArgumentException($"The group size is {groupSize}; it must be 128, 64 or the number of columns ({columns}).", nameof(groupSize)),
        };
    }
}
