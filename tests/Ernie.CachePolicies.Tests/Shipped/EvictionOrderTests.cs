using Ernie.Caching;

namespace Ernie.CachePolicies.Tests.Shipped;

/// <summary>Which page goes first. Texts of one page, named by their token, unless said otherwise; page = token.</summary>
public class EvictionOrderTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public void Lru_UsedAgain_StaysLonger()
    {
        ICachePolicy policy = Create("lru");
        InsertAll(policy, 1, 2, 3);

        Use(policy, 1);

        Assert.Equal([2, 3, 1], EvictAll(policy));
    }

    [Fact]
    public void Lru_Continuations_GoBeforeWhatTheyContinue()
    {
        ICachePolicy policy = Create("lru");
        policy.Insert(new PrefixKey { Tokens = [1, 2, 3] }, [new(1), new(2), new(3)]);
        policy.Insert(new PrefixKey { Tokens = [1, 4] }, [new(1), new(4)]);

        Assert.Equal([3, 2, 4, 1], EvictAll(policy));
    }

    [Fact]
    public void S3Fifo_LongScan_KeepsWhatWasSharedBefore()
    {
        ICachePolicy policy = Create("s3-fifo");
        InsertAll(policy, 1, 2);
        Use(policy, 1);
        Use(policy, 1);
        InsertAll(policy, [.. Enumerable.Range(3, 20)]);

        int[] order = EvictAll(policy);

        // 1 was used twice and moves to the main queue; lru would have given it up second.
        Assert.Equal(2, order[0]);
        Assert.True(Array.IndexOf(order, 1) > 15, string.Join(' ', order));
    }

    [Fact]
    public void S3Fifo_BackAfterAnEviction_EntersTheMainQueue()
    {
        ICachePolicy policy = Create("s3-fifo");
        InsertAll(policy, 1, 2, 3, 4);
        Assert.Equal(1, EvictOne(policy));

        InsertAll(policy, 1, 5, 6);

        Assert.Equal([2, 3, 4, 5, 6, 1], EvictAll(policy));
    }

    [Fact]
    public void PriorityTtl_LowPriority_GoesFirst()
    {
        ICachePolicy policy = Create("priority-ttl", "ttl-seconds=100");
        Insert(policy, 1, priority: 5);
        Insert(policy, 2, priority: -1);
        Insert(policy, 3, priority: 0);
        Insert(policy, 4, priority: -1);

        Assert.Equal([2, 4, 3, 1], EvictAll(policy));
    }

    [Fact]
    public void PriorityTtl_UsedByAMoreImportantRequest_Rises()
    {
        ICachePolicy policy = Create("priority-ttl");
        Insert(policy, 1, priority: 0);
        Insert(policy, 2, priority: 1);

        policy.Release(policy.Acquire(new PrefixKey { Tokens = [1], Priority = 2 }, new PageId[1]));

        Assert.Equal([2, 1], EvictAll(policy));
    }

    [Fact]
    public void PriorityTtl_TimeOver_IsNotFoundAndGoesFirst()
    {
        ICachePolicy policy = Create("priority-ttl", "ttl-seconds=100");
        Insert(policy, 1, priority: 9);
        _clock.Advance(TimeSpan.FromSeconds(60));
        Insert(policy, 2, priority: 0);
        _clock.Advance(TimeSpan.FromSeconds(39.9));
        Assert.Equal(1, Use(policy, 1));
        _clock.Advance(TimeSpan.FromSeconds(99.9));
        Assert.Equal(0, Use(policy, 2));
        Assert.Equal(1, Use(policy, 1));
        _clock.Advance(TimeSpan.FromSeconds(100));

        Assert.Equal(0, Use(policy, 1));
        Insert(policy, 3, priority: 0);
        Assert.Equal([2, 1, 3], EvictAll(policy));
    }

    [Fact]
    public void PriorityTtl_LeaseOutlivesTheTime_IsStillFound()
    {
        ICachePolicy policy = Create("priority-ttl", "ttl-seconds=100");
        Insert(policy, 1, priority: 0);
        PrefixLease lease = policy.Acquire(new PrefixKey { Tokens = [1] }, new PageId[1]);
        _clock.Advance(TimeSpan.FromSeconds(500));

        Assert.Equal(1, Use(policy, 1));
        policy.Release(lease);
        Assert.Equal(1, Use(policy, 1));
    }

    [Fact]
    public void TenantQuota_OverItsShare_GivesBackFirst()
    {
        ICachePolicy policy = Create("tenant-quota", "quota-percent=10", "quota-percent.2=50");
        for (int page = 0; page < 8; page++)
        {
            Insert(policy, page, tenant: page < 2 ? 1 : 2);
        }

        for (int page = 10; page < 16; page++)
        {
            Insert(policy, page, tenant: 3);
        }

        // 40 pages: a quota of 4, and of 20 for tenant 2. Tenant 3 holds 6: two of its own go, then the oldest of all.
        Assert.Equal([10, 11, 0, 1, 2], EvictAll(policy).Take(5));
    }

    [Fact]
    public void TenantQuota_OthersContinueItsPages_KeepsThem()
    {
        ICachePolicy policy = Create("tenant-quota", "quota-percent=2.5");
        policy.Insert(new PrefixKey { Tokens = [1, 2], Tenant = 1 }, [new(1), new(2)]);
        policy.Insert(new PrefixKey { Tokens = [1, 2, 3], Tenant = 2 }, [new(1), new(2), new(3)]);

        // Tenant 1 holds two pages of the one it may, but tenant 2 continues them.
        Assert.Equal([3, 2, 1], EvictAll(policy));
    }

    private ICachePolicy Create(string name, params string[] settings) => ShippedPolicies.Create(name, 40, 1, _clock, settings);

    private static void InsertAll(ICachePolicy policy, params int[] pages)
    {
        foreach (int page in pages)
        {
            Insert(policy, page);
        }
    }

    private static void Insert(ICachePolicy policy, int page, int priority = 0, int tenant = 0) =>
        policy.Insert(new PrefixKey { Tokens = [page], Priority = priority, Tenant = tenant }, [new PageId(page)]);

    private static int Use(ICachePolicy policy, int token)
    {
        PrefixLease lease = policy.Acquire(new PrefixKey { Tokens = [token] }, new PageId[1]);
        policy.Release(lease);
        return lease.PageCount;
    }

    private static int EvictOne(ICachePolicy policy)
    {
        var freed = new PageId[1];
        Assert.Equal(1, policy.Evict(freed));
        return freed[0].Index;
    }

    private static int[] EvictAll(ICachePolicy policy) =>
        [.. Enumerable.Range(0, policy.CachedPages).Select(_ => EvictOne(policy))];
}
