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
}
