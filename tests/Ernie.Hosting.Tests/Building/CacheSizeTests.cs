using Ernie.Graph;
using Ernie.Hosting.Backends;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Models;

namespace Ernie.Hosting.Tests.Building;

public sealed class CacheSizeTests
{
    private static readonly ModelShape s_tales = ModelRegistry.FindByName("tales")!.Shape; // Compiled in.

    private static CacheSize Plan(OptionSet options, long budget) => CacheSize.Plan(s_tales, options, pageBytes: 1000, budget);

    [Theory]
    [InlineData(1_000_000, 1000, 8192)]
    [InlineData(100_000, 100, 6400)]
    [InlineData(1000, 1, 64)]
    [InlineData(100_000_000, 2 * 128, 8192)]
    public void Plan_ByMemory_CapsPagesAndLength(long budget, int pages, int length)
    {
        OptionSet options = OptionSet.Defaults.With(CapacityRows.MaxSequences, budget > 10_000_000 ? 2 : 128);

        Assert.Equal(new CacheSize(pages, length), Plan(options, budget));
    }

    [Fact]
    public void Plan_NoMemory_SaysSo()
    {
        Assert.Contains("no memory", Assert.Throws<OptionException>(() => Plan(OptionSet.Defaults, 999)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(8192, true)]
    [InlineData(8193, false)]
    public void Plan_LengthBeyondTheModel_IsRefused(int length, bool isTaken)
    {
        OptionSet options = OptionSet.Defaults.With(CapacityRows.MaxModelLength, length);
        if (isTaken)
        {
            Assert.Equal(length, Plan(options, 1_000_000).MaxModelLength);
        }
        else
        {
            Assert.Contains("8192", Assert.Throws<OptionException>(() => Plan(options, 1_000_000)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(640, true)]
    [InlineData(641, false)]
    public void Plan_LengthBeyondMemory_SaysWhatFits(int length, bool isTaken)
    {
        OptionSet options = OptionSet.Defaults.With(CapacityRows.MaxModelLength, length);
        if (isTaken)
        {
            Assert.Equal(length, Plan(options, 10_000).MaxModelLength);
        }
        else
        {
            Assert.Contains("640", Assert.Throws<OptionException>(() => Plan(options, 10_000)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(7, true)]
    [InlineData(8, false)]
    public void Plan_PagesGivenBeyondWhatIsFree_AreNamedWithWhatTheyTake(int pages, bool isTaken)
    {
        OptionSet options = OptionSet.Defaults.With(CapacityRows.PageCount, pages);
        if (isTaken)
        {
            Assert.Equal(pages, CacheSize.Plan(s_tales, options, pageBytes: 1 << 20, budgetBytes: 0, freeBytes: 7 << 20).PageCount);
        }
        else
        {
            string message = Assert.Throws<OptionException>(() => CacheSize.Plan(s_tales, options, pageBytes: 1 << 20, budgetBytes: 0, freeBytes: 7 << 20)).Message;
            Assert.Contains("--num-gpu-blocks-override is 8: so many pages of 64 tokens take 8 MiB, and 7 MiB of memory are free. 7 pages would fit.", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Plan_LengthBeyondThePagesGiven_SaysHowManyItTakes()
    {
        OptionSet options = OptionSet.Defaults.With(CapacityRows.PageCount, 7).With(CapacityRows.MaxModelLength, 449);

        Assert.Contains("raise --num-gpu-blocks-override to 8", Assert.Throws<OptionException>(() => Plan(options, 0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_PagesGiven_WinOverMemory()
    {
        Assert.Equal(new CacheSize(7, 448), Plan(OptionSet.Defaults.With(CapacityRows.PageCount, 7), 0));
    }
}
