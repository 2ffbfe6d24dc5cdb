using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Ernie.Cpu.Memory;
using Ernie.Graph;
using Ernie.Weights;

namespace Ernie.Cpu.Linear;

/// <summary>
/// Integer weights in the order in which the kernels read them: panels of 16 rows, in a panel 4 consecutive k of each row side by side,
/// stored unsigned with a bias so that activations can be the signed operand.
/// </summary>
internal sealed unsafe class PackedMatrix
{
    private const int PanelRows = ManagedTileKernel.PanelRows;

    private readonly byte* _weights;
    private readonly float* _channelScales;
    private readonly Half* _blockScales;

    private PackedMatrix(NativeArena arena, int rows, int columns, int bits, int blockLength, bool scalePerBlock)
    {
        Rows = rows;
        Columns = columns;
        Bits = bits;
        BlockLength = blockLength;
        ScalePerBlock = scalePerBlock;
        PanelCount = (rows + PanelRows - 1) / PanelRows;
        PanelBytes = (long)PanelRows * columns * bits / 8;
        _weights = arena.Take<byte>(PanelCount * PanelBytes);
        if (scalePerBlock)
            _blockScales = arena.Take<Half>((long)PanelCount * BlockCount * PanelRows);
        else
            _channelScales = arena.Take<float>((long)PanelCount * PanelRows);
    }

    /// <summary>Output features.</summary>
    internal int Rows { get; }

    /// <summary>Input features.</summary>
    internal int Columns { get; }

    /// <summary>4 or 8.</summary>
    internal int Bits { get; }

    /// <summary>Consecutive k that share an activation scale (and, per block, a weight scale).</summary>
    internal int BlockLength { get; }

    /// <summary>Blocks along K.</summary>
    internal int BlockCount => Columns / BlockLength;

    /// <summary>Whether weight scales are per block and row.</summary>
    internal bool ScalePerBlock { get; }

    /// <summary>Panels of 16 rows; the last may be padded.</summary>
    internal int PanelCount { get; }

    /// <summary>Bytes of weights in a panel.</summary>
    internal long PanelBytes { get; }

    /// <summary>Bytes of scales in a panel.</summary>
    internal long PanelScaleBytes => ScalePerBlock ? (long)BlockCount * PanelRows * sizeof(Half) : PanelRows * sizeof(float);

    /// <summary>What was added to a weight to make it unsigned.</summary>
    internal int Bias => Bits == 8 ? 128 : 8;

    /// <summary>Bytes of weights and scales.</summary>
    internal long ByteLength => PanelCount * (PanelBytes + PanelScaleBytes);

    /// <summary>Weights of a panel.</summary>
    internal byte* Panel(int panel) => _weights + (panel * PanelBytes);

    /// <summary>Scales of a panel.</summary>
    internal void* PanelScales(int panel) =>
        ScalePerBlock ? _blockScales + ((long)panel * BlockCount * PanelRows) : _channelScales + ((long)panel * PanelRows);

    /// <summary>Whether the integer kernels can run such a matrix: K must be cut into whole blocks.</summary>
    internal static bool Supports(LinearWeight weight) => weight.Encoding.Format is WeightFormat.Int8 or WeightFormat.Int4 && weight.InFeatures % 32 == 0;

    /// <summary>Packs a matrix that <see cref="Supports"/> accepts, on all processors.</summary>
    /// <param name="matrix">The matrix; not kept.</param>
    /// <param name="arena">Gives the memory, and must live as long as what is returned.</param>
    internal static PackedMatrix Pack(WeightMatrix matrix, NativeArena arena)
    {
        int blockLength = matrix.Columns % 128 == 0 ? 128 : matrix.Columns % 64 == 0 ? 64 : 32;
        switch (matrix)
        {
            case Int8Matrix bytes:
            {
                var packed = new PackedMatrix(arena, matrix.Rows, matrix.Columns, 8, blockLength, scalePerBlock: false);
                ForEachPanel(packed, row =>
                {
                    packed.PackBytes(row, bytes.Row(row));
                    packed._channelScales[row] = bytes.Scales[row];
                });
                return packed;
            }

            case Int4Matrix nibbles:
            {
                bool perBlock = nibbles.GroupSize != nibbles.Columns;
                var packed = new PackedMatrix(arena, matrix.Rows, matrix.Columns, 4, perBlock ? nibbles.GroupSize : blockLength, perBlock);
                ForEachPanel(packed, row =>
                {
                    packed.PackNibbles(row, nibbles.Row(row));
                    packed.PackScales(row, nibbles.RowScales(row));
                });
                return packed;
            }

            default:
                throw new ArgumentException($"{matrix.GetType().Name} has no integer kernels.", nameof(matrix));
        }
    }

    /// <summary>Writes a panel of nibbles as a panel of bytes with the same bias.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="destination">[16 × columns].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Unpack(int panel, byte* destination)
    {
        byte* source = Panel(panel);
        var mask = Vector512.Create((byte)15);
        for (long i = 0; i < PanelBytes; i += 64)
        {
            var pairs = Vector512.Load(source + i);
            Vector512.Store(pairs & mask, destination + (2 * i));
            Vector512.Store(Vector512.ShiftRightLogical(pairs.AsUInt16(), 4).AsByte() & mask, destination + (2 * i) + 64);
        }
    }

    // Rows of a panel share cache lines: one thread packs them all.
    private static void ForEachPanel(PackedMatrix packed, Action<int> packRow) => Parallel.For(0, packed.PanelCount, panel =>
    {
        for (int row = panel * PanelRows; row < Math.Min((panel + 1) * PanelRows, packed.Rows); row++)
            packRow(row);
    });

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackBytes(int row, ReadOnlySpan<sbyte> source)
    {
        byte* target = Panel(row / PanelRows) + (row % PanelRows * 4);
        ReadOnlySpan<uint> quads = MemoryMarshal.Cast<sbyte, uint>(source);
        for (int quad = 0; quad < quads.Length; quad++)
        {
            // Adding 128 to a byte flips its highest bit.
            *(uint*)(target + ((long)quad * PanelRows * 4)) = quads[quad] ^ 0x80808080;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackNibbles(int row, ReadOnlySpan<byte> source)
    {
        byte* target = Panel(row / PanelRows) + (row % PanelRows * 4);
        ReadOnlySpan<uint> octets = MemoryMarshal.Cast<byte, uint>(source);
        for (int octet = 0; octet < octets.Length; octet++)
        {
            uint even = Spread(octets[octet] & 0xFFFF);
            uint odd = Spread(octets[octet] >> 16);
            *(uint*)(target + ((long)octet * PanelRows * 4)) = even | (odd << 4);
        }
    }

    private void PackScales(int row, ReadOnlySpan<float> scales)
    {
        if (!ScalePerBlock)
        {
            _channelScales[row] = scales[0];
            return;
        }

        Half* target = (Half*)PanelScales(row / PanelRows) + (row % PanelRows);
        for (int block = 0; block < scales.Length; block++)
            target[block * PanelRows] = (Half)scales[block];
    }

    // Four nibbles → the low halves of four bytes.
    private static uint Spread(uint nibbles)
    {
        nibbles = (nibbles | (nibbles << 8)) & 0x00FF00FF;
        return (nibbles | (nibbles << 4)) & 0x0F0F0F0F;
    }
}
