using Ernie.Cpu.Linear;

namespace Ernie.Cpu.Tests;

public sealed class TilePlanTests
{
    [Fact]
    public void Plan_AnyCount_CoversEveryTokenOnceInTilesThatFit()
    {
        for (int tokens = 1; tokens <= 200; tokens++)
        {
            var plan = new TilePlan(tokens);
            int next = 0;

            for (int tile = 0; tile < plan.Count; tile++)
            {
                Assert.Equal(next, plan.Start(tile));
                Assert.InRange(plan.Size(tile), 1, TilePlan.MaxTokens);
                for (int token = next; token < next + plan.Size(tile); token++)
                    Assert.Equal(tile, plan.TileOf(token));
                next += plan.Size(tile);
            }

            Assert.Equal(tokens, next);
        }
    }

    [Theory]
    [InlineData(8, 1)]
    [InlineData(9, 2)]
    [InlineData(12, 2)]
    [InlineData(13, 3)]
    public void Plan_CountAroundTileEdges_CutsLate(int tokens, int tiles) => Assert.Equal(tiles, new TilePlan(tokens).Count);

    [Fact]
    public void Plan_NoTokens_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => new TilePlan(0));
}
