using System.Runtime.CompilerServices;

namespace Ernie.Weights;

/// <summary>Reads the weights of a graph from a checkpoint of either layout and encodes them while reading.</summary>
/// <remarks>A few rows at a time pass through f32, on all cores; no second copy of a matrix exists. Safe from many threads.</remarks>
public sealed unsafe class WeightLoader
{
    // Rows that one task reads and encodes together: the height of an FP8 block, so that a block is whole.
    private const int RowsPerStrip = Fp8Matrix.BlockSize;

    private readonly TensorResolver _resolver;

    /// <summary>Prepares to read a checkpoint, which stays the caller's and must outlive the loader.</summary>
    /// <param name="checkpoint">The source.</param>
    /// <param name="layout">What the checkpoint's config says about its layout; null to judge by shapes and names. It decides only where shapes do not tell.</param>
    public WeightLoader(Checkpoint checkpoint, CheckpointLayout? layout = null)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        Checkpoint = checkpoint;
        _resolver = new TensorResolver(checkpoint, layout);
    }

    /// <summary>The source.</summary>
    public Checkpoint Checkpoint { get; }

    /// <summary>Threads to use; all processors by default.</summary>
    public int MaxDegreeOfParallelism { get; init; } = Environment.ProcessorCount;

    /// <summary>Reads tensors of the same width into one matrix, one below the other.</summary>
    /// <param name="parts">Torch names and [rows, columns] of the tensors, such as q, k, v; at least one.</param>
    /// <param name="encoding">How the matrix is to be stored.</param>
    /// <returns>[Σ rows, columns]; the caller disposes it. A single torch-layout bf16 tensor is not copied when bf16 is asked for.</returns>
    /// <exception cref="WeightFormatException">A tensor is missing, or has a shape, type or values that do not fit.</exception>
    /// <exception cref="ArgumentException">There are no parts, widths differ, or the encoding needs a width that is a multiple of its group.</exception>
    public WeightMatrix Load(IReadOnlyList<WeightPart> parts, WeightEncoding encoding)
    {
        ArgumentNullException.ThrowIfNull(parts);
        if (parts.Count == 0)
            throw new ArgumentException("A matrix needs at least one part.", nameof(parts));
        if (parts.Any(part => part.Columns != parts[0].Columns))
            throw new ArgumentException($"Parts of one matrix must have the same columns: {string.Join(", ", parts)}.", nameof(parts));
        MatrixSource source = parts.Count == 1
            ? _resolver.Matrix(parts[0])
            : new ConcatenatedSource([.. parts.Select(_resolver.Matrix)]);
        if (encoding == WeightEncoding.BFloat16 && TryBorrow(source) is { } borrowed)
            return borrowed;
        WeightMatrix matrix = Allocate(source.Rows, source.Columns, encoding);
        try
        {
            Fill(matrix, source);
            return matrix;
        }
        catch (ArithmeticException error)
        {
            matrix.Dispose();
            throw new WeightFormatException(Checkpoint.Source, $"'{string.Join("', '", parts.Select(part => part.Name))}': {error.Message}", error);
        }
        catch
        {
            matrix.Dispose();
            throw;
        }
    }

    /// <summary>Reads a vector, such as the weight of a norm, as f32.</summary>
    /// <param name="name">Torch name.</param>
    /// <param name="length">Elements that the graph needs.</param>
    /// <returns>[length].</returns>
    /// <exception cref="WeightFormatException">The tensor is missing, or has another length or type.</exception>
    public float[] LoadVector(string name, int length)
    {
        CheckpointTensor tensor = _resolver.Vector(name, length);
        var values = new float[length];
        tensor.Read(0, values);
        return values;
    }

    private static WeightMatrix Allocate(int rows, int columns, WeightEncoding encoding) => encoding switch
    {
        WeightEncoding.BFloat16 => new Bf16Matrix(rows, columns),
        WeightEncoding.Int8 => new Int8Matrix(rows, columns),
        WeightEncoding.Int4Group128 => new Int4Matrix(rows, columns, 128),
        WeightEncoding.Int4Group64 => new Int4Matrix(rows, columns, 64),
        WeightEncoding.Int4PerChannel => new Int4Matrix(rows, columns, columns),
        WeightEncoding.Fp8Block128 => new Fp8Matrix(rows, columns),
        _ => throw new ArgumentOutOfRangeException(nameof(encoding), encoding, "Unknown encoding."),
    };

    private static Bf16Matrix? TryBorrow(MatrixSource source)
    {
        if (source is not DirectSource { Tensor: MappedTensor { DataType: TensorDataType.BFloat16 } tensor } direct)
            return null;
        nint address = tensor.Address + (nint)(direct.FirstElement * sizeof(ushort));
        // A file may place a tensor at an odd byte; then it is copied.
        return address % sizeof(ushort) == 0 ? Bf16Matrix.Borrow(tensor.File, address, source.Rows, source.Columns) : null;
    }

    private void Fill(WeightMatrix matrix, MatrixSource source)
    {
        int strips = (source.Rows + RowsPerStrip - 1) / RowsPerStrip;
        var options = new ParallelOptions { MaxDegreeOfParallelism = MaxDegreeOfParallelism };
        int stripElements = checked(Math.Min(RowsPerStrip, source.Rows) * source.Columns);
        try
        {
            Parallel.For(0, strips, options, () => new NativeBuffer(sizeof(float) * (long)stripElements), (strip, _, buffer) =>
            {
                int firstRow = strip * RowsPerStrip;
                int rowCount = Math.Min(RowsPerStrip, source.Rows - firstRow);
                var values = new Span<float>((void*)buffer.Address, rowCount * source.Columns);
                source.ReadRows(firstRow, rowCount, values);
                EncodeStrip(matrix, firstRow, rowCount, values);
                return buffer;
            }, buffer => buffer.Dispose());
        }
        catch (AggregateException error) when (error.InnerExceptions.Count > 0)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error.InnerExceptions[0]);
        }
    }

    private static void EncodeStrip(WeightMatrix matrix, int firstRow, int rowCount, ReadOnlySpan<float> values)
    {
        if (matrix is Fp8Matrix blocks)
        {
            int block = firstRow / Fp8Matrix.BlockSize;
            Span<byte> codes = blocks.WritableRows(firstRow, rowCount);
            Fp8Quantizer.QuantizeRowBlock(values, matrix.Columns, codes, blocks.WritableScales.Slice(block * blocks.ColumnBlocks, blocks.ColumnBlocks));
            return;
        }
        for (int row = firstRow; row < firstRow + rowCount; row++)
        {
            ReadOnlySpan<float> source = values.Slice((row - firstRow) * matrix.Columns, matrix.Columns);
            switch (matrix)
            {
                case Bf16Matrix plain:
                    BFloat16Codec.Encode(source, plain.WritableRow(row));
                    break;
                case Int8Matrix channels:
                    channels.WritableScales[row] = Int8Quantizer.Quantize(source, channels.WritableRow(row));
                    break;
                case Int4Matrix groups:
                    Int4Quantizer.QuantizeRow(source, groups.GroupSize, groups.WritableRow(row), groups.WritableRowScales(row));
                    break;
                default:
                    throw new SwitchExpressionException(matrix);
            }
        }
    }
}
