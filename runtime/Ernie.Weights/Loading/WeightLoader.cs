using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Ernie.Graph;

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

    /// <summary>Reads a linear weight in the encoding that the graph gives it.</summary>
    /// <param name="weight">Tensors by torch name, to lie one below the other, and the encoding.</param>
    /// <returns>[out, in]; the caller disposes it. A single torch-layout bf16 tensor is not copied when bf16 is asked for.</returns>
    /// <exception cref="WeightFormatException">A tensor is missing, or has a shape, type or values that do not fit.</exception>
    /// <exception cref="ArgumentException">Widths differ, or the encoding's groups or blocks do not divide the tensors.</exception>
    public WeightMatrix Load(LinearWeight weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.Parts.Any(part => part.Columns != weight.Parts[0].Columns))
            throw new ArgumentException($"Tensors of one matrix must have the same columns: {weight}.", nameof(weight));
        // Parts are quantised as if alone: a block that straddles two would tie their scales together.
        if (weight.Encoding.Format == WeightFormat.Float8 && weight.Parts.SkipLast(1).Any(part => part.Rows % Fp8Matrix.BlockSize != 0))
            throw new ArgumentException($"Tensors fused in FP8 must have a multiple of {Fp8Matrix.BlockSize} rows: {weight}.", nameof(weight));
        MatrixSource source = weight.Parts.Length == 1
            ? _resolver.Matrix(weight.Parts[0])
            : new ConcatenatedSource([.. weight.Parts.Select(_resolver.Matrix)]);
        if (weight.Encoding.Format == WeightFormat.BFloat16 && TryBorrow(source) is { } borrowed)
            return borrowed;
        WeightMatrix matrix = Allocate(source.Rows, source.Columns, weight.Encoding);
        try
        {
            Fill(matrix, source);
            return matrix;
        }
        catch (ArithmeticException error)
        {
            matrix.Dispose();
            throw new WeightFormatException(Checkpoint.Source, $"'{string.Join("', '", weight.Parts.Select(part => part.Name))}': {error.Message}", error);
        }
        catch
        {
            matrix.Dispose();
            throw;
        }
    }

    /// <summary>Reads a vector, such as the weight of a norm, as f32.</summary>
    /// <param name="vector">Torch name and length.</param>
    /// <returns>[rows].</returns>
    /// <exception cref="WeightFormatException">The tensor is missing, or has another length or type.</exception>
    public float[] LoadVector(TensorReference vector)
    {
        ArgumentNullException.ThrowIfNull(vector);
        CheckpointTensor tensor = _resolver.Vector(vector.Name, vector.Rows);
        var values = new float[vector.Rows];
        tensor.Read(0, values);
        return values;
    }

    /// <summary>Reads an embedding table as bf16, [rows, columns]: a <see cref="LinearWeight"/> that is only looked up.</summary>
    /// <param name="table">Torch name and shape.</param>
    /// <returns>The caller disposes it; a torch-layout bf16 table is not copied.</returns>
    /// <exception cref="WeightFormatException">The tensor is missing, or has another shape or type.</exception>
    public Bf16Matrix LoadTable(TensorReference table) => (Bf16Matrix)Load(new LinearWeight(table, WeightRole.Head));

    /// <summary>Checks, before anything is loaded, that the checkpoint holds every tensor of a graph and none that the graph does not know.</summary>
    /// <param name="graph">The graph to be loaded.</param>
    /// <exception cref="WeightFormatException">A tensor is missing, has another shape or type, or is unknown.</exception>
    public void Check(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        foreach (TensorReference tensor in graph.Weights)
        {
            if (tensor.Columns is null)
                _resolver.Vector(tensor.Name, tensor.Rows);
            else
                _resolver.Matrix(tensor);
        }
        string[] unknown = [.. Checkpoint.Names.Where(name => !_resolver.Used.Contains(name) && !graph.MayIgnore(TensorResolver.TorchName(name))).Order(StringComparer.Ordinal)];
        if (unknown.Length > 0)
        {
            CheckpointTensor first = Checkpoint.Find(unknown[0])!;   // the name comes from the checkpoint itself
            throw new WeightFormatException(first.Source, $"'{first.Name}' is {first.Description} and the graph has no place for it ({unknown.Length} such tensors); does config.json belong to these weights?");
        }
    }

    private static WeightMatrix Allocate(int rows, int columns, WeightEncoding encoding) => encoding.Format switch
    {
        WeightFormat.BFloat16 => new Bf16Matrix(rows, columns),
        WeightFormat.Float32 => new Float32Matrix(rows, columns),
        WeightFormat.Int8 => new Int8Matrix(rows, columns),
        WeightFormat.Int4 => new Int4Matrix(rows, columns, encoding.GroupSize == 0 ? columns : encoding.GroupSize),
        WeightFormat.Float8 => new Fp8Matrix(rows, columns),
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
            ExceptionDispatchInfo.Throw(error.InnerExceptions[0]);
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
                case Float32Matrix exact:
                    source.CopyTo(exact.WritableRow(row));
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
