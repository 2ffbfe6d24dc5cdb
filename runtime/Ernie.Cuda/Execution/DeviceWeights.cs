using System.Runtime.InteropServices;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;
using Ernie.Weights;

namespace Ernie.Cuda.Execution;

/// <summary>A model's weights on the device, packed while loading.</summary>
internal sealed unsafe class DeviceWeights
{
    // Rows of a box of weights: what one warpgroup multiplies.
    private const int BoxRows = 64;

    private readonly WeightLoader _loader;
    private readonly KernelLibrary _kernels;
    private readonly DeviceArena _arena;
    private readonly CudaStream _stream;
    private readonly Dictionary<TensorReference, ulong> _tensors = [];
    private readonly Dictionary<LinearWeight, DeviceLinear> _linears = new(ReferenceEqualityComparer.Instance);

    public DeviceWeights(KernelPlan plan, KernelLibrary kernels, WeightLoader loader, DeviceArena arena, CudaStream stream, int maxModelLength)
    {
        _loader = loader;
        _kernels = kernels;
        _arena = arena;
        _stream = stream;
        TensorReference? embedding = null;
        foreach (KernelOperation operation in plan.Lowered.Operations)
        {
            if (operation.Node is EmbedNode embed)
            {
                embedding = embed.Table;
                _tensors[embedding] = Table(embedding);
            }

            if ((operation.Norm?.Gain ?? (operation.Node as RmsNormNode)?.Weight) is { } gain && !_tensors.ContainsKey(gain))
                _tensors[gain] = Vector(gain);
            if (operation.Node is LinearNode { Weight: var weight })
            {
                LinearKernels linear = plan.Selection.ByProduct[operation];
                // bf16 rows keep their order, so a tied bf16 head is the embedding table itself.
                _linears.Add(weight, weight.Encoding == WeightEncoding.Bf16 && weight.Parts[0].Name == embedding?.Name
                    ? WithMaps(new DeviceLinear(linear, _tensors[embedding], 0))
                    : Linear(linear, weight, interleavesHalves: operation.Epilogue is SwiGluEpilogue));
            }
        }

        RopeParameters rotation = plan.Lowered.Operations.Select(operation => operation.Epilogue).OfType<CacheEpilogue>().First().Rotation;
        Rotations = RotationTable(rotation, maxModelLength);
    }

    /// <summary>Address of a vector or table, bf16.</summary>
    /// <param name="tensor">One that the plan's operations name.</param>
    public ulong this[TensorReference tensor] => _tensors[tensor];

    /// <summary>A product's weight.</summary>
    /// <param name="weight">The weight of one of the plan's operations, itself.</param>
    public DeviceLinear this[LinearWeight weight] => _linears[weight];

    /// <summary>Address, f32 [positions, head size / 2, cosine and sine].</summary>
    public ulong Rotations { get; }

    /// <summary>Packs a matrix for the device.</summary>
    /// <param name="matrix">The matrix as loaded.</param>
    /// <param name="interleavesHalves">Whether rows of the two halves alternate.</param>
    /// <param name="elements">[rows × bytes of a row] filled.</param>
    /// <param name="scales">[groups, rows] filled.</param>
    internal static void Pack(WeightMatrix matrix, bool interleavesHalves, byte* elements, Span<float> scales)
    {
        int rows = matrix.Rows, columns = matrix.Columns;
        fixed (float* scalesPointer = scales)
        {
            float* transposed = scalesPointer;
            Parallel.For(0, rows, row =>
            {
                int source = WeightPacking.SourceRow(row, rows, interleavesHalves);
                switch (matrix)
                {
                    case Bf16Matrix plain:
                        plain.Row(source).CopyTo(new Span<ushort>((ushort*)elements + ((long)row * columns), columns));
                        break;
                    case Int8Matrix channels:
                        WeightPacking.PackBytes(MemoryMarshal.AsBytes(channels.Row(source)), new Span<byte>(elements + ((long)row * columns), columns));
                        transposed[row] = channels.Scales[source];
                        break;
                    case Fp8Matrix blocks:
                        WeightPacking.PackBytes(blocks.Row(source), new Span<byte>(elements + ((long)row * columns), columns));
                        Transpose(blocks.RowScales(source), transposed, row, rows);
                        break;
                    case Int4Matrix groups:
                        WeightPacking.PackInt4(groups.Row(source), new Span<byte>(elements + ((long)row * columns / 2), columns / 2));
                        Transpose(groups.RowScales(source), transposed, row, rows);
                        break;
                    default:
                        throw new KernelPlanException($"There is no matrix kernel for {matrix.GetType().Name}.");
                }
            });
        }
    }

    private static void Transpose(ReadOnlySpan<float> rowScales, float* transposed, int row, int rows)
    {
        for (int group = 0; group < rowScales.Length; group++)
            transposed[((long)group * rows) + row] = rowScales[group];
    }

    private DeviceLinear Linear(LinearKernels kernels, LinearWeight weight, bool interleavesHalves)
    {
        using WeightMatrix matrix = _loader.Load(weight);
        (ulong elements, ulong scales) = Upload(matrix, interleavesHalves, _arena, _stream);
        return WithMaps(new DeviceLinear(kernels, elements, scales));
    }

    private DeviceLinear WithMaps(DeviceLinear linear)
    {
        LinearWeight weight = linear.Kernels.Weight;
        if (linear.Kernels.Tiles.Any(tile => tile.Form == LinearForm.WarpgroupFloat8))
            linear = linear with { PackedWeight = TensorMap.OfBytes(linear.Weight, weight.OutFeatures, weight.InFeatures, LinearTile.Float8BoxOutputs) };
        if (!linear.Kernels.Tiles.Any(tile => tile.ReadsPlainRows))
            return linear;

        ulong plain = linear.Weight;
        if (linear.Kernels.Expand is { } expand)
        {
            plain = _arena.Take((long)weight.OutFeatures * weight.InFeatures * sizeof(ushort));
            Expand(_kernels[expand], linear, plain, _stream);
        }

        return linear with { PlainWeight = TensorMap.Of(plain, weight.OutFeatures, weight.InFeatures, BoxRows) };
    }

    /// <summary>Queues the kernel that makes a packed weight's plain bf16 copy.</summary>
    internal static void Expand(CudaKernel kernel, DeviceLinear linear, ulong plain, CudaStream stream) => kernel.Launch(
        stream.Handle, linear.Kernels.Weight.OutFeatures, 1, 1,
        new ExpandWeightsArguments { Weight = linear.Weight, Scales = linear.Scales, Output = plain, Inputs = linear.Kernels.Weight.InFeatures },
        overlapsPrevious: false);

    /// <summary>Packs a matrix and copies it to the device.</summary>
    internal static (ulong Elements, ulong Scales) Upload(WeightMatrix matrix, bool interleavesHalves, DeviceArena arena, CudaStream stream)
    {
        int bitsPerElement = matrix switch { Bf16Matrix => 16, Int4Matrix => 4, _ => 8 };
        int groups = matrix switch { Bf16Matrix => 0, Int4Matrix int4 => int4.GroupsPerRow, Fp8Matrix fp8 => fp8.ColumnBlocks, _ => 1 };
        using NativeBuffer packed = new((long)matrix.Rows * matrix.Columns * bitsPerElement / 8);
        float[] scales = new float[groups * matrix.Rows];
        Pack(matrix, interleavesHalves, (byte*)packed.Address, scales);
        ulong elements = arena.Take(packed.ByteLength);
        UploadBytes(stream, elements, (byte*)packed.Address, packed.ByteLength);
        if (groups == 0)
            return (elements, 0);

        ulong scalesAddress = arena.Take(sizeof(float) * (long)scales.Length);
        stream.Upload<float>(scalesAddress, scales);
        return (elements, scalesAddress);
    }

    private static void UploadBytes(CudaStream stream, ulong destination, byte* source, long byteCount)
    {
        const int Step = 1 << 30; // a span's length is an int
        for (long done = 0; done < byteCount; done += Step)
            stream.Upload(destination + (ulong)done, new ReadOnlySpan<byte>(source + done, (int)Math.Min(Step, byteCount - done)));
    }

    private ulong Table(TensorReference table)
    {
        using Bf16Matrix matrix = _loader.LoadTable(table);
        ulong address = _arena.Take(matrix.ByteLength);
        UploadBytes(_stream, address, (byte*)matrix.Address, matrix.ByteLength);
        return address;
    }

    private ulong Vector(TensorReference vector)
    {
        ushort[] rounded = [.. _loader.LoadVector(vector).Select(ToBf16)];
        ulong address = _arena.Take(sizeof(ushort) * rounded.Length);
        _stream.Upload<ushort>(address, rounded);
        return address;
    }

    private static ushort ToBf16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }

    private ulong RotationTable(RopeParameters rotation, int positions)
    {
        float[] inverse = [.. rotation.InverseFrequencies()];
        float ratio = (float)rotation.CompressionRatio;
        float[] table = new float[positions * inverse.Length * 2];
        Parallel.For(0, positions, position =>
        {
            for (int pair = 0; pair < inverse.Length; pair++)
            {
                // f32 all along, like the reference implementation.
                (float sine, float cosine) = MathF.SinCos(position / ratio * inverse[pair]);
                table[(((position * inverse.Length) + pair) * 2) + 0] = cosine;
                table[(((position * inverse.Length) + pair) * 2) + 1] = sine;
            }
        });
        ulong address = _arena.Take(sizeof(float) * (long)table.Length);
        _stream.Upload<float>(address, table);
        return address;
    }
}
