using Ernie.CachePolicies.Tests.Shipped;
using Ernie.Hosting.CacheBenchmark;

namespace Ernie.CachePolicies.Tests.CacheBenchmark;

public class CachePolicyBenchmarkTests
{
    public static TheoryData<string> Traces => [.. CacheTrace.Names];

    [Theory]
    [MemberData(nameof(Traces))]
    public void Create_SameSeed_MakesTheSameTrace(string name)
    {
        CacheTrace trace = CacheTrace.Create(name, 50, seed: 1);

        Assert.Equal(50, trace.Requests.Count);
        Assert.All(trace.Requests, request => Assert.InRange(request.PromptLength, 1, request.Tokens.Length - 1));
        Assert.Equal(trace.Requests.SelectMany(request => request.Tokens), CacheTrace.Create(name, 50, seed: 1).Requests.SelectMany(request => request.Tokens));
        Assert.NotEqual(trace.Requests[0].Tokens, CacheTrace.Create(name, 50, seed: 2).Requests[0].Tokens);
    }

    [Theory]
    [MemberData(nameof(Traces))]
    public void Run_PoolForEverything_FindsAllThatWasThere(string name)
    {
        CacheTrace trace = CacheTrace.Create(name, 300, seed: 1);
        int everything = trace.Requests.Sum(request => (request.Tokens.Length / 64) + 1);

        CacheBenchmarkResult result = new CachePolicyBenchmark(trace, everything, concurrency: 1).Run("lru", ShippedPolicies.ByName["lru"]);

        Assert.Equal(0, result.EvictedPages);
        Assert.Equal(result.BestHitRate, result.HitRate, 1e-12);
        Assert.InRange(result.HitRate, 0.2, 0.99);
        Assert.True(result.PageOperations > 300);
    }

    [Fact]
    public void Run_SmallPool_EvictsAndFindsLess()
    {
        CacheTrace trace = CacheTrace.Create("shared-system-prompt", 600, seed: 1);
        var benchmark = new CachePolicyBenchmark(trace, pageCount: 1024, concurrency: 4);

        CacheBenchmarkResult lru = benchmark.Run("lru", ShippedPolicies.ByName["lru"]);
        CacheBenchmarkResult s3Fifo = benchmark.Run("s3-fifo", ShippedPolicies.ByName["s3-fifo"]);

        Assert.True(lru.EvictedPages > 0);
        Assert.True(lru.HitRate < lru.BestHitRate);
        Assert.True(s3Fifo.HitRate > lru.HitRate, $"long texts read once push shared prompts out: s3-fifo {s3Fifo.HitRate}, lru {lru.HitRate}");
        Assert.Equal(lru.HitRate, benchmark.Run("lru", ShippedPolicies.ByName["lru"]).HitRate);
    }

    [Fact]
    public void Create_UnknownTrace_SaysWhichThereAre() =>
        Assert.Contains("multi-turn", Assert.Throws<ArgumentException>(() => CacheTrace.Create("none", 1, 1)).Message, StringComparison.Ordinal);

    [Fact]
    public void Benchmark_PoolTooSmall_SaysWhatIsNeeded()
    {
        CacheTrace trace = CacheTrace.Create("zipf", 20, seed: 1);
        int longest = trace.Requests.Max(request => (request.Tokens.Length + 63) / 64);

        Assert.Contains($"{longest} pages", Assert.Throws<ArgumentException>(() => new CachePolicyBenchmark(trace, longest - 1, concurrency: 1)).Message, StringComparison.Ordinal);
        new CachePolicyBenchmark(trace, longest, concurrency: 1).Run("lru", ShippedPolicies.ByName["lru"]);
    }
}
