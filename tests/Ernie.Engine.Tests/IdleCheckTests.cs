using System.Diagnostics.Metrics;
using Ernie.CachePolicies.RadixLru;
using Ernie.Caching;
using Ernie.Engine.Paging;
using Ernie.Engine.Settings;
using Ernie.Engine.Telemetry;
using Ernie.Engine.Tests.Fakes;
using Ernie.Execution;
using Ernie.Generation;
using Ernie.Samplers.Standard;

namespace Ernie.Engine.Tests;

/// <summary>An engine with nothing to run looks whether everything is where it belongs, and says so if not.</summary>
public sealed class IdleCheckTests
{
    [Theory]
    [InlineData(BrokenPolicy.Fault.KeepsPins, "2 of its 3 pages can be evicted")]
    [InlineData(BrokenPolicy.Fault.MiscountsPages, "has 4 pages, and was given 3")]
    [InlineData(BrokenPolicy.Fault.PromisesPages, "4 of its 3 pages can be evicted")]
    public async Task Rest_AfterAFaultyPolicy_SaysWhatIsMisplacedOnce(BrokenPolicy.Fault fault, string said)
    {
        ExecutorInfo info = FakeExecutor.Limits();
        int counted = 0;
        await using var harness = new Harness(info, policy: new BrokenPolicy(new RadixLruPolicy(new CachePolicyOptions(info.PageCount, info.TokensPerPage)), fault));
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Name == EngineInstruments.Misplaced && ReferenceEquals(instrument.Meter.Scope, harness.Engine))
                {
                    l.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref counted, (int)value));
        listener.Start();

        // The same three pages each time.
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(harness.Expected(Harness.Prompt(12), 1), await harness.Tokens(Harness.Greedy(Harness.Prompt(12), 1)));
            await harness.Until(s => s is { Running: 0, Waiting: 0, StepInFlight: false });
        }

        await harness.Engine.DrainAsync(TestContext.Current.CancellationToken); // Answered after the look.
        string warning = Assert.Single(harness.Warnings);
        Assert.StartsWith("ERN5003: ", warning, StringComparison.Ordinal);
        Assert.Contains(said, warning, StringComparison.Ordinal);
        Assert.Null(harness.Engine.GetStatistics().Failure);
        Assert.True(counted >= 1);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public async Task Rest_AfterAPageThatTheCacheHadAlready_HasEveryPageBack(int depth, bool device)
    {
        // Without page copies the last page is computed again, and given up for the cached one when its step is read.
        await using var harness = new Harness(FakeExecutor.Limits(depth: depth), device: device);

        for (int i = 0; i < 3; i++)
        {
            await harness.Tokens(Harness.Greedy(Harness.Prompt(12), 1));
            EngineStatistics idle = await harness.UntilIdle();
            Assert.Equal(64, idle.PagesFree + idle.PagesEvictable);
        }

        await harness.Engine.DrainAsync(TestContext.Current.CancellationToken);
        Assert.Empty(harness.Warnings);
    }

    [Fact]
    public void FindMisplaced_MemoryAsItShouldBe_IsNothing()
    {
        using SequenceMemory memory = CreateMemory();

        Assert.Null(memory.FindMisplaced());
    }

    [Fact]
    public void FindMisplaced_SlotThatNobodyGaveBack_IsFound()
    {
        using SequenceMemory memory = CreateMemory();

        memory.TakeSlot();

        Assert.Equal("1 of 8 slots belong to sequences that have ended", memory.FindMisplaced());
    }

    [Fact]
    public void FindMisplaced_PageThatNobodyGaveBack_IsFound()
    {
        using SequenceMemory memory = CreateMemory();

        memory.Pool.Take();
        memory.Pool.Take();

        Assert.Equal("2 of 64 pages belong to sequences that have ended", memory.FindMisplaced());
    }

    [Fact]
    public void FindMisplaced_PageThatWaitsForAStep_IsFound()
    {
        using SequenceMemory memory = CreateMemory();
        PageId page = memory.Pool.Take();

        memory.Pool.ReturnAfter(page, lastStep: 7);
        memory.Pool.StepCompleted(6);

        Assert.NotNull(memory.FindMisplaced());
        memory.Pool.StepCompleted(7);
        Assert.Null(memory.FindMisplaced());
    }

    [Fact]
    public void FindMisplaced_PageGivenToACacheThatIsOff_IsFound()
    {
        using SequenceMemory memory = CreateMemory();

        memory.Pool.GiveToCache(memory.Pool.Take());

        Assert.Equal("1 pages belong to a cache that is off", memory.FindMisplaced());
    }

    [Fact]
    public void FindMisplaced_LeaseThatNobodyReleased_IsFound()
    {
        ExecutorInfo info = FakeExecutor.Limits();
        var policy = new RadixLruPolicy(new CachePolicyOptions(info.PageCount, info.TokensPerPage));
        var pool = new PagePool(info.PageCount);
        var cache = new PrefixCache(policy, pool, info.TokensPerPage, info.MaxPagesPerSequence, null);
        var key = new PrefixKey { Tokens = new int[info.TokensPerPage] };
        PageId[] pages = [pool.Take()];
        PrefixLease lease = default;

        cache.Insert(in key, pages, ref lease, lastStep: 1);

        Assert.Equal("page 0 has 1 leases that no sequence holds", cache.FindMisplaced());
        cache.Release(lease, pages);
        Assert.Null(cache.FindMisplaced());
    }

    private static SequenceMemory CreateMemory()
    {
        ExecutorInfo info = FakeExecutor.Limits();
        var settings = new EngineSettings { ModelName = "pure", Samplers = [new StandardSampler()], DefaultSampler = "standard" };
        return new SequenceMemory(info, settings, info.MaxSequences, new StepBatch(info));
    }
}
