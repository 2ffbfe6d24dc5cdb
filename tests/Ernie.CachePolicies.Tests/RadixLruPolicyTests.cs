using System.Diagnostics;
using Ernie.CachePolicies.RadixLru;
using Ernie.Caching;
using Ernie.Testing.Contracts;

namespace Ernie.CachePolicies.Tests;

public sealed class RadixLruPolicyTests : CachePolicyContract
{
    // Three runs of this many: a million random operations in all.
    protected override int Operations => 340_000;

    protected override ICachePolicy Create(CachePolicyOptions options) => new RadixLruPolicy(options);

    private static int[] Tokens(params int[] pages) => [.. pages.SelectMany(page => Enumerable.Range(0, 4).Select(i => (page * 10) + i))];

    private static PageId[] Pages(params int[] indexes) => [.. indexes.Select(i => new PageId(i))];

    [Fact]
    public void Insert_OfAKnownPrefix_AdoptsTheRestOnly()
    {
        var policy = new RadixLruPolicy(new CachePolicyOptions(8, 4));
        policy.Insert(new PrefixKey { Tokens = Tokens(1, 2) }, Pages(0, 1));

        InsertResult result = policy.Insert(new PrefixKey { Tokens = Tokens(1, 2, 3) }, Pages(5, 6, 7));

        Assert.Equal(new InsertResult(2, 1), result);
        var found = new PageId[3];
        Assert.Equal(3, policy.Acquire(new PrefixKey { Tokens = Tokens(1, 2, 3) }, found).PageCount);
        Assert.Equal(Pages(0, 1, 7), found);
    }

    [Fact]
    public void Evict_TakesLeastRecentlyUsedLeavesFirst()
    {
        var policy = new RadixLruPolicy(new CachePolicyOptions(8, 4));
        policy.Insert(new PrefixKey { Tokens = Tokens(1, 2, 3) }, Pages(0, 1, 2));
        policy.Insert(new PrefixKey { Tokens = Tokens(4, 5) }, Pages(3, 4));
        policy.Release(policy.Acquire(new PrefixKey { Tokens = Tokens(1, 2) }, new PageId[2]));
        var freed = new PageId[5];

        Assert.Equal(5, policy.Evict(freed));

        Assert.Equal(Pages(2, 4, 3, 1, 0), freed);
    }

    [Fact]
    public void Evict_LeavesPinnedPathsAlone()
    {
        var policy = new RadixLruPolicy(new CachePolicyOptions(8, 4));
        policy.Insert(new PrefixKey { Tokens = Tokens(1, 2, 3) }, Pages(0, 1, 2));
        PrefixLease lease = policy.Acquire(new PrefixKey { Tokens = Tokens(1, 2) }, new PageId[2]);
        var freed = new PageId[5];

        Assert.Equal(1, policy.Evict(freed));
        Assert.Equal(2, freed[0].Index);
        policy.Release(lease);
        Assert.Equal(2, policy.Evict(freed));
    }

    [Fact]
    public void Operations_OnPages_ReachTwoMillionASecond()
    {
        const int PageCount = 16_384, TokensPerPage = 64, PagesPerSequence = 32;
        var policy = new RadixLruPolicy(new CachePolicyOptions(PageCount, TokensPerPage));
        int[][] sequences = [.. Enumerable.Range(0, 400).Select(i => CreateSequence(i, PagesPerSequence * TokensPerPage))];
        var pages = new PageId[PagesPerSequence];
        var free = new Stack<PageId>(Enumerable.Range(0, PageCount).Select(i => new PageId(i)));
        long operations = 0;
        double best = 0;
        for (int round = 0; round < 6; round++)
        {
            long before = operations;
            long startedAt = Stopwatch.GetTimestamp();
            foreach (int[] sequence in sequences)
            {
                operations += Serve(policy, sequence, pages, free);
            }

            best = Math.Max(best, (operations - before) / Stopwatch.GetElapsedTime(startedAt).TotalSeconds);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{best / 1e6:F1} million page operations a second");

        // The required rate is wide below what one core does; the best of several rounds keeps a busy machine out of it.
        Assert.True(best >= 2e6, $"{best:F0} page operations a second");
    }

    // What an engine does for one request: acquire, insert the rest, pin it, release; evict when pages run out.
    private static int Serve(RadixLruPolicy policy, int[] tokens, PageId[] pages, Stack<PageId> free)
    {
        var key = new PrefixKey { Tokens = tokens };
        PrefixLease lease = policy.Acquire(in key, pages);
        int missing = pages.Length - lease.PageCount;
        Span<PageId> freed = stackalloc PageId[32];
        int evicted = free.Count < missing ? policy.Evict(freed[..missing]) : 0;
        for (int i = 0; i < evicted; i++)
        {
            free.Push(freed[i]);
        }

        for (int i = lease.PageCount; i < pages.Length; i++)
        {
            pages[i] = free.Pop();
        }

        policy.Insert(in key, pages);
        PrefixLease longer = policy.Acquire(in key, pages);
        policy.Release(lease);
        policy.Release(longer);
        return (lease.PageCount * 2) + pages.Length + (longer.PageCount * 2) + evicted;
    }

    private static int[] CreateSequence(int seed, int length)
    {
        var random = new Random(seed);
        var tokens = new int[length];
        for (int i = 0; i < length; i++)
        {
            // The first half is one of ten system prompts.
            tokens[i] = i < length / 2 ? (seed % 10 * 1000) + i : random.Next(100_000);
        }

        return tokens;
    }
}
