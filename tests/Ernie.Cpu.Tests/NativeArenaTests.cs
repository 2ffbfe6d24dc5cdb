using Ernie.Cpu.Memory;

namespace Ernie.Cpu.Tests;

public sealed unsafe class NativeArenaTests
{
    // Around the edges of a cache line and of the largest block that shares a slab (16 MiB), and so many that a second slab begins.
    private static readonly long[] s_lengths = [0, 1, 63, 64, 65, (16 << 20) - 1, 16 << 20, (16 << 20) + 1, 16 << 20, 16 << 20, 16 << 20, 7];

    [Fact]
    public void Take_AnyLengths_GivesAlignedZeroedBlocksApart()
    {
        using var arena = new NativeArena();
        var blocks = new List<(long Start, long Length)>();

        foreach (long length in s_lengths)
        {
            byte* block = arena.Take<byte>(length);
            Assert.Equal(0, (long)block % 64);
            for (long i = 0; i < length; i += 4093)
                Assert.Equal(0, block[i]);
            new Span<byte>(block, (int)length).Fill(255);
            blocks.Add(((long)block, length));
        }

        (long Start, long Length)[] inOrder = [.. blocks.Where(block => block.Length > 0).OrderBy(block => block.Start)];
        for (int i = 1; i < inOrder.Length; i++)
            Assert.True(inOrder[i - 1].Start + inOrder[i - 1].Length <= inOrder[i].Start, $"Block of {inOrder[i - 1].Length} bytes reaches into the next.");
    }

    [Fact]
    public void Take_Elements_HasRoomForAll()
    {
        using var arena = new NativeArena();

        float* first = arena.Take<float>(17);
        float* second = arena.Take<float>(1);

        Assert.True(second - first >= 17);
    }

    [Fact]
    public void Take_NegativeLength_Throws()
    {
        using var arena = new NativeArena();

        Assert.Throws<ArgumentOutOfRangeException>(() => { arena.Take<byte>(-1); });
    }
}
