using System.Buffers.Binary;

namespace Ernie.Kernels;

/// <summary>
/// The order of elements inside a row of a weight on the device; kernels-templates/ernie/linear/weights.cuh explains it and reads it back.
/// </summary>
public static class WeightPacking
{
    /// <summary>Columns whose packed 4-bit elements are contiguous.</summary>
    public const int Int4Chunk = 128;

    /// <summary>Columns whose packed 8-bit elements are contiguous.</summary>
    public const int ByteChunk = 64;

    private const int Lanes = 4, ColumnsPerBlock = 32, ColumnsPerLane = 8;

    /// <summary>Packs a row of int4 elements.</summary>
    /// <param name="source">[columns / 2] bytes, the low nibble first, with bias 8; columns are a multiple of 128.</param>
    /// <param name="destination">As long.</param>
    /// <exception cref="ArgumentException">The lengths are wrong.</exception>
    public static void PackInt4(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Check(source, destination, Int4Chunk / 2);
        for (int chunk = 0; chunk < source.Length; chunk += Int4Chunk / 2)
        {
            for (int lane = 0; lane < Lanes; lane++)
            {
                for (int block = 0; block < Int4Chunk / ColumnsPerBlock; block++)
                {
                    int column = (block * ColumnsPerBlock) + (lane * ColumnsPerLane);
                    uint natural = BinaryPrimitives.ReadUInt32LittleEndian(source[(chunk + (column / 2))..]);
                    uint packed = GatherNibbles(natural) | (GatherNibbles(natural >> 4) << 16);
                    BinaryPrimitives.WriteUInt32LittleEndian(destination[(chunk + (lane * 16) + (block * 4))..], packed);
                }
            }
        }
    }

    /// <summary>Packs a row of int8 or e4m3 elements.</summary>
    /// <param name="source">[columns] bytes; columns are a multiple of 64.</param>
    /// <param name="destination">As long.</param>
    /// <exception cref="ArgumentException">The lengths are wrong.</exception>
    public static void PackBytes(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Check(source, destination, ByteChunk);
        for (int chunk = 0; chunk < source.Length; chunk += ByteChunk)
        {
            for (int lane = 0; lane < Lanes; lane++)
            {
                for (int block = 0; block < ByteChunk / ColumnsPerBlock; block++)
                {
                    ReadOnlySpan<byte> from = source.Slice(chunk + (block * ColumnsPerBlock) + (lane * ColumnsPerLane), ColumnsPerLane);
                    Span<byte> to = destination.Slice(chunk + (lane * 16) + (block * 8), ColumnsPerLane);
                    for (int word = 0; word < ColumnsPerLane; word += 4)
                    {
                        to[word] = from[word];
                        to[word + 1] = from[word + 2];
                        to[word + 2] = from[word + 1];
                        to[word + 3] = from[word + 3];
                    }
                }
            }
        }
    }

    /// <summary>Row of the checkpoint's matrix that lies at a row of the packed one.</summary>
    /// <param name="packedRow">Row on the device.</param>
    /// <param name="rows">Rows of the matrix.</param>
    /// <param name="interleavesHalves">True for gate over up: a row of gate, then the same row of up, so that one lane ends up with both.</param>
    public static int SourceRow(int packedRow, int rows, bool interleavesHalves) =>
        interleavesHalves ? (packedRow / 2) + (packedRow % 2 * (rows / 2)) : packedRow;

    // Nibbles 0, 2, 4, 6 to 0, 1, 2, 3.
    private static uint GatherNibbles(uint word)
    {
        word &= 0x0F0F0F0F;
        word = (word | (word >> 4)) & 0x00FF00FF;
        return (word | (word >> 8)) & 0xFFFF;
    }

    private static void Check(ReadOnlySpan<byte> source, Span<byte> destination, int chunkBytes)
    {
        if (source.Length % chunkBytes != 0 || destination.Length != source.Length)
            throw new ArgumentException($"A row of {source.Length} bytes into {destination.Length}; both must be the same multiple of {chunkBytes}.", nameof(source));
    }
}
