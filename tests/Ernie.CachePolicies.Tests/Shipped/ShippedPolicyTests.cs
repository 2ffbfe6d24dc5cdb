using Ernie.Caching;

namespace Ernie.CachePolicies.Tests.Shipped;

public class ShippedPolicyTests
{
    public static TheoryData<string> Names => ShippedPolicies.Names;

    private static int Operations => Environment.GetEnvironmentVariable("ERNIE_LONG_TESTS") == "1" ? 1_000_000 : 20_000;

    [Theory]
    [MemberData(nameof(Names))]
    public void Policy_RandomOperations_AgreesWithANaiveCache(string name)
    {
        foreach ((int pageCount, int tokensPerPage) in (ReadOnlySpan<(int, int)>)[(1, 1), (7, 2), (40, 4), (33, 5)])
        {
            var model = new NaiveCache(
                ShippedPolicies.Create(name, pageCount, tokensPerPage, new ManualClock()), pageCount, tokensPerPage, seed: 17);

            for (int i = 0; i < Operations / 4; i++)
            {
                model.Step();
            }

            model.ReleaseAllAndEvictAll();
        }
    }

    [Fact]
    public void PriorityTtl_RandomOperationsWhileTimePasses_AgreesWithANaiveCache()
    {
        var clock = new ManualClock();
        var model = new NaiveCache(
            ShippedPolicies.Create("priority-ttl", 30, 3, clock, "ttl-seconds=50"), 30, 3, seed: 18) { MayHide = true };

        for (int i = 0; i < Operations; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(i % 7));
            model.Step();
        }

        model.ReleaseAllAndEvictAll();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Insert_PageOwnedElsewhere_IsRefused(string name)
    {
        ICachePolicy policy = ShippedPolicies.Create(name, pageCount: 4, tokensPerPage: 1);
        policy.Insert(new PrefixKey { Tokens = [5] }, [new PageId(2)]);

        Assert.Throws<InvalidOperationException>(() => policy.Insert(new PrefixKey { Tokens = [6] }, [new PageId(2)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => policy.Insert(new PrefixKey { Tokens = [6] }, [new PageId(4)]));
        Assert.Throws<ArgumentException>(() => policy.Insert(new PrefixKey { Tokens = [6] }, [new PageId(0), new PageId(1)]));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Release_Twice_IsRefused(string name)
    {
        ICachePolicy policy = ShippedPolicies.Create(name, pageCount: 4, tokensPerPage: 1);
        policy.Insert(new PrefixKey { Tokens = [5] }, [new PageId(2)]);
        PrefixLease lease = policy.Acquire(new PrefixKey { Tokens = [5] }, new PageId[1]);
        policy.Release(lease);
        policy.Release(default);

        Assert.Throws<InvalidOperationException>(() => policy.Release(lease));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Create_UnknownSetting_IsNamed(string name)
    {
        var thrown = Assert.Throws<ArgumentException>(() => ShippedPolicies.Create(name, 4, 4, null, "quota-percent.x=3"));

        Assert.Equal("quota-percent.x", thrown.ParamName);
    }

    [Theory]
    [InlineData("priority-ttl", "ttl-seconds", "0", false)]
    [InlineData("priority-ttl", "ttl-seconds", "0.001", true)]
    [InlineData("priority-ttl", "ttl-seconds", "1e9", true)]
    [InlineData("priority-ttl", "ttl-seconds", "2e9", false)]
    [InlineData("priority-ttl", "ttl-seconds", "soon", false)]
    [InlineData("tenant-quota", "quota-percent", "0", false)]
    [InlineData("tenant-quota", "quota-percent", "0.1", true)]
    [InlineData("tenant-quota", "quota-percent", "100", true)]
    [InlineData("tenant-quota", "quota-percent", "101", false)]
    [InlineData("tenant-quota", "quota-percent.7", "101", false)]
    [InlineData("tenant-quota", "quota-percent.7", "30", true)]
    [InlineData("tenant-quota", "quota-percent.07", "30", false)]
    public void Create_SettingAtItsLimit_IsTakenOrNamed(string name, string setting, string value, bool isTaken)
    {
        Exception? thrown = Record.Exception(() => ShippedPolicies.Create(name, 4, 4, null, $"{setting}={value}"));

        Assert.Equal(isTaken ? null : setting, (thrown as ArgumentException)?.ParamName);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Policy_SteadyState_AllocatesNothing(string name)
    {
        ICachePolicy policy = ShippedPolicies.Create(name, pageCount: 64, tokensPerPage: 4);
        int[] tokens = new int[32];
        var pages = new PageId[8];
        void Turn(int text)
        {
            Array.Fill(tokens, text);
            var key = new PrefixKey { Tokens = tokens, Tenant = text % 3 };
            PrefixLease lease = policy.Acquire(key, pages);
            policy.Release(lease);
            if (lease.PageCount == 0)
            {
                if (policy.CachedPages < 64)
                {
                    for (int i = 0; i < 8; i++)
                    {
                        pages[i] = new PageId((text * 8) + i);
                    }
                }
                else
                {
                    policy.Evict(pages);
                }

                policy.Insert(key, pages);
            }
        }

        for (int i = 0; i < 30; i++)
        {
            Turn(i);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            Turn(i % 40);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
