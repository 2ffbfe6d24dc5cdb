using Ernie.Caching;
using Ernie.Testing.Contracts;

namespace Ernie.Template.Tests;

/// <summary>Random operations against plain bookkeeping, and the order in which this policy gives pages back.</summary>
public class CustomPolicyTests : CachePolicyContract
{
    protected override int Operations => 20_000;

    protected override ICachePolicy Create(CachePolicyOptions options) => new CustomPolicy(options);

    [Fact]
    public void Evict_OldestPage_GoesFirstEvenIfUsedAgain()
    {
        ICachePolicy policy = Create(new CachePolicyOptions(PageCount: 4, TokensPerPage: 1));
        policy.Insert(new PrefixKey { Tokens = [10] }, [new PageId(0)]);
        policy.Insert(new PrefixKey { Tokens = [11] }, [new PageId(1)]);
        policy.Release(policy.Acquire(new PrefixKey { Tokens = [10] }, new PageId[1]));
        var freed = new PageId[1];

        int count = policy.Evict(freed);

        Assert.Equal((1, new PageId(0)), (count, freed[0]));
    }
}
