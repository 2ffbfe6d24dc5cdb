using Ernie.Caching;
using Xunit;

namespace Ernie.Testing.Contracts;

/// <summary>
/// What every cache policy must hold, whatever it keeps: random operations against a naive model that knows which pages are
/// the policy's, which are pinned and what they contain. Derive from it and say how the policy is made.
/// </summary>
public abstract class CachePolicyContract
{
    private const int TokensPerPage = 4;

    /// <summary>Random operations per test; a policy's own suite may ask for more.</summary>
    protected virtual int Operations => 100_000;

    /// <summary>Makes an empty policy.</summary>
    protected abstract ICachePolicy Create(CachePolicyOptions options);

    [Fact]
    public void Policy_Empty_HoldsNothing()
    {
        ICachePolicy policy = Create(new CachePolicyOptions(8, TokensPerPage));

        Assert.Equal((0, 0), (policy.CachedPages, policy.EvictablePages));
        Assert.Equal(default, policy.Acquire(new PrefixKey { Tokens = new int[16] }, new PageId[4]));
        Assert.Equal(0, policy.Evict(new PageId[4]));
        policy.Release(default);
        Assert.NotEmpty(policy.Name);
    }

    [Fact]
    public void Acquire_OfPartialPages_LooksAtWholeOnesOnly()
    {
        ICachePolicy policy = Create(new CachePolicyOptions(8, TokensPerPage));
        int[] tokens = [.. Enumerable.Range(0, 8)];
        policy.Insert(new PrefixKey { Tokens = tokens }, [new PageId(3), new PageId(5)]);
        var pages = new PageId[4];

        PrefixLease seven = policy.Acquire(new PrefixKey { Tokens = tokens.AsSpan(0, 7) }, pages);
        PrefixLease bounded = policy.Acquire(new PrefixKey { Tokens = tokens }, pages.AsSpan(0, 1));

        Assert.True(seven.PageCount <= 1);
        Assert.True(bounded.PageCount <= 1);
        policy.Release(seven);
        policy.Release(bounded);
    }

    [Fact]
    public void Acquire_UnderAnotherSalt_FindsNothing()
    {
        ICachePolicy policy = Create(new CachePolicyOptions(8, TokensPerPage));
        int[] tokens = [.. Enumerable.Range(0, 8)];
        policy.Insert(new PrefixKey { Tokens = tokens, Salt = 1 }, [new PageId(0), new PageId(1)]);

        Assert.Equal(0, policy.Acquire(new PrefixKey { Tokens = tokens, Salt = 2 }, new PageId[2]).PageCount);
    }

    [Theory]
    [InlineData(1, 64)]
    [InlineData(2, 7)]
    [InlineData(3, 300)]
    public void Policy_RandomOperations_AgreesWithTheModel(int seed, int pageCount)
    {
        var run = new CachePolicyModel(Create(new CachePolicyOptions(pageCount, TokensPerPage)), pageCount, TokensPerPage, seed);

        for (int i = 0; i < Operations; i++)
        {
            run.Step();
        }

        run.Finish();
    }
}
