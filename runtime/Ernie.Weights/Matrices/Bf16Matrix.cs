using System.Runtime.InteropServices;
using Ernie.Graph;

namespace Ernie.Weights;

/// <summary>bfloat16 weights, [rows, columns] row-major, as the upper halves of f32 values.</summary>
/// <remarks>Its memory is either its own or, without a copy, a mapped checkpoint file that it keeps open.</remarks>
public sealed unsafe class Bf16Matrix : WeightMatrix
{
    private readonly SafeHandle _memory;
    private readonly nint _address;
    private bool _disposed;

    /// <summary>Allocates a matrix whose elements are undefined until written.</summary>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    public Bf16Matrix(int rows, int columns)
        : base(rows, columns, WeightEncoding.Bf16)
    {
        var buffer = new NativeBuffer(sizeof(ushort) * (long)rows * columns);
        _memory = buffer;
        _address = buffer.Address;
        IsBorrowed = false;
    }

    private Bf16Matrix(MappedFile file, nint address, int rows, int columns)
        : base(rows, columns, WeightEncoding.Bf16)
    {
        bool added = false;
        file.DangerousAddRef(ref added);
        _memory = file;
        _address = address;
        IsBorrowed = true;
    }

    /// <summary>True when the elements lie in a mapped file and must not be written.</summary>
    public bool IsBorrowed { get; }

    /// <summary>Address of element [0, 0]; aligned to 64 bytes unless <see cref="IsBorrowed"/>.</summary>
    public nint Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _address;
        }
    }

    /// <inheritdoc/>
    public override long ByteLength => sizeof(ushort) * (long)Rows * Columns;

    /// <summary>Elements of one row, [columns].</summary>
    /// <param name="row">Zero-based output feature.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="row"/> is not in the matrix.</exception>
    public ReadOnlySpan<ushort> Row(int row)
    {
        CheckRow(row);
        return new ReadOnlySpan<ushort>((ushort*)Address + (long)row * Columns, Columns);
    }

    internal Span<ushort> WritableRow(int row)
    {
        if (IsBorrowed)
            throw new InvalidOperationException("The matrix is a read-only view of a mapped file.");
        CheckRow(row);
        return new Span<ushort>((ushort*)Address + (long)row * Columns, Columns);
    }

    /// <summary>A view of [rows, columns] elements in a mapped file, which stays mapped until the matrix is disposed.</summary>
    internal static Bf16Matrix Borrow(MappedFile file, nint address, int rows, int columns) => new(file, address, rows, columns);

    private protected override void DequantizeRowCore(int row, Span<float> destination) => BFloat16Codec.Decode(Row(row), destination);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_disposed)
            return;
        _disposed = true;
        if (IsBorrowed)
            _memory.DangerousRelease();
        else if (disposing)
            _memory.Dispose();
    }
}
