using Ernie.Sampling;

namespace Ernie.Abstractions.Tests;

public sealed class PhiloxTests
{
    // Known answers of philox4x32-10 from the Random123 distribution (kat_vectors); the counter is (draw, position, stream).
    [Theory]
    [InlineData(0u, 0L, 0u, 0UL, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(0xffffffffu, -1L, 0xffffffffu, ulong.MaxValue, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x13198a2e85a308d3L, 0x03707344u, 0x299f31d0a4093822UL, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Block_KnownCounters_GiveThePublishedWords(uint draw, long position, uint stream, ulong seed, uint x, uint y, uint z, uint w)
    {
        Assert.Equal((x, y, z, w), new Philox(seed, position, stream).Block(draw));
    }

    [Fact]
    public void NextUInt32_IsTheFirstWordOfEachBlock()
    {
        var random = new Philox(7, 9, 3);

        for (uint draw = 0; draw < 5; draw++)
        {
            Assert.Equal(new Philox(7, 9, 3).Block(draw).X, random.NextUInt32());
        }
    }

    [Fact]
    public void NextSingle_IsInTheOpenClosedUnitInterval()
    {
        var random = new Philox(1, 1);
        for (int i = 0; i < 100_000; i++)
        {
            Assert.InRange(random.NextSingle(), float.Epsilon, 1f);
        }
    }

    [Fact]
    public void Streams_OfOneSeed_Differ()
    {
        Assert.Equal(1000, Enumerable.Range(0, 1000).Select(i => new Philox(5, i / 10, (uint)(i % 10)).NextUInt32()).Distinct().Count());
    }
}
