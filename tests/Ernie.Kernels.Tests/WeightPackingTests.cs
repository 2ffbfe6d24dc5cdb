namespace Ernie.Kernels.Tests;

public class WeightPackingTests
{
    [Theory]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(3072)]
    public void PackInt4_AnyRow_IsReadBackByTheKernelsRule(int columns)
    {
        byte[] source = new byte[columns / 2];
        new Random(columns).NextBytes(source);
        byte[] packed = new byte[source.Length];

        WeightPacking.PackInt4(source, packed);

        for (int column = 0; column < columns; column++)
        {
            int natural = source[column / 2] >> (4 * (column % 2)) & 15;
            Assert.Equal(natural, Int4At(packed, column));
        }
    }

    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(1024)]
    public void PackBytes_AnyRow_IsReadBackByTheKernelsRule(int columns)
    {
        byte[] source = new byte[columns];
        new Random(columns).NextBytes(source);
        byte[] packed = new byte[columns];

        WeightPacking.PackBytes(source, packed);

        for (int column = 0; column < columns; column++)
            Assert.Equal(source[column], ByteAt(packed, column));
    }

    [Theory]
    [InlineData(64, 64)]
    [InlineData(32, 32)]
    [InlineData(128, 64)]
    public void PackInt4_LengthsThatDoNotFit_AreRefused(int sourceBytes, int destinationBytes)
    {
        if (sourceBytes == destinationBytes && sourceBytes % (WeightPacking.Int4Chunk / 2) == 0)
            WeightPacking.PackInt4(new byte[sourceBytes], new byte[destinationBytes]);
        else
            Assert.Throws<ArgumentException>(() => WeightPacking.PackInt4(new byte[sourceBytes], new byte[destinationBytes]));
    }

    [Fact]
    public void SourceRow_GateOverUp_AlternatesTheHalves() =>
        Assert.Equal([0, 3, 1, 4, 2, 5], Enumerable.Range(0, 6).Select(row => WeightPacking.SourceRow(row, 6, interleavesHalves: true)));

    // weights.cuh: piece t of 16 bytes, word j, holds columns 32j + 8t + 0..7; nibble i is element 2i, nibble i + 4 is 2i + 1.
    private static int Int4At(byte[] packed, int column)
    {
        int chunk = column / 128, block = column % 128 / 32, lane = column % 32 / 8, element = column % 8;
        uint word = BitConverter.ToUInt32(packed, (chunk * 64) + (lane * 16) + (block * 4));
        return (int)(word >> (4 * ((element / 2) + (element % 2 * 4))) & 15);
    }

    // weights.cuh: piece t of 16 bytes, 8 bytes per block j, columns 32j + 8t + 0..7; bytes 1 and 2 of each word swapped.
    private static byte ByteAt(byte[] packed, int column)
    {
        int chunk = column / 64, block = column % 64 / 32, lane = column % 32 / 8, element = column % 8;
        int inWord = (element % 4) switch { 1 => 2, 2 => 1, int other => other };
        return packed[(chunk * 64) + (lane * 16) + (block * 8) + (element / 4 * 4) + inWord];
    }
}
