using Ernie.Caching;
using Ernie.CachePolicies.RadixLru;
using Ernie.Engine.Tests.Fakes;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Tests;

public sealed class FailureTests
{
    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    [InlineData(false, 2)]
    public async Task Executor_ThrowsOnce_FailsTheStepAndGoesOn(bool atBegin, int depth)
    {
        await using var harness = new Harness(FakeExecutor.Limits(depth: depth), device: depth > 1);
        int calls = 0;
        void Throw()
        {
            if (++calls == 5)
            {
                throw new InvalidOperationException("a broken step");
            }
        }

        if (atBegin)
        {
            harness.Executor.OnBegin = _ => Throw();
        }
        else
        {
            harness.Executor.OnComplete = Throw;
        }

        List<GenerationEvent> failed = await harness.Run(Harness.Greedy(Harness.Prompt(10), 50));
        List<int> next = await harness.Tokens(Harness.Greedy(Harness.Prompt(10), 20));

        Assert.Equal(FinishReason.Error, failed[^1].FinishReason);
        Assert.Contains("a broken step", failed[^1].Error, StringComparison.Ordinal);
        Assert.Equal(harness.Expected(Harness.Prompt(10), 20), next);
        Assert.Contains(harness.Warnings, w => w.StartsWith("ERN5001", StringComparison.Ordinal));
        EngineStatistics end = await harness.UntilIdle();
        Assert.Equal(64, end.PagesFree + end.PagesEvictable);
        Assert.Null(end.Failure);
    }

    [Fact]
    public async Task Executor_KeepsThrowing_MakesTheEngineUnhealthy()
    {
        await using var harness = new Harness();
        harness.Executor.OnComplete = () => throw new InvalidOperationException("gone");

        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(FinishReason.Error, (await harness.Run(Harness.Greedy([1], 5)))[^1].FinishReason);
        }

        Assert.Contains("gone", (await harness.Until(s => s.Failure is not null)).Failure, StringComparison.Ordinal);
        RequestRejectedException e = Assert.Throws<RequestRejectedException>(() => harness.Engine.GenerateAsync(Harness.Greedy([1], 1)));
        Assert.Equal(RejectionReason.Draining, e.Reason);
    }

    [Theory]
    [InlineData("throws", "thrown on purpose")]
    [InlineData("negative", "-7")]
    [InlineData("beyond", "50")]
    public async Task Sampler_Broken_FailsItsRequestAlone(string name, string expected)
    {
        await using var harness = new Harness(samplers:
        [
            new DelegateSampler("throws", static (ref SamplingRow _) => throw new InvalidOperationException("thrown on purpose")),
            new DelegateSampler("negative", static (ref SamplingRow _) => -7),
            new DelegateSampler("beyond", static (ref SamplingRow _) => 50),
        ]);
        Task<List<int>> good = harness.Tokens(Harness.Greedy([1, 2], 40));

        List<GenerationEvent> bad = await harness.Run(Harness.Greedy([1, 2], 40) with { Sampling = new SamplingOptions { Sampler = name } });

        Assert.Equal(FinishReason.Error, bad[^1].FinishReason);
        Assert.Contains(expected, bad[^1].Error, StringComparison.Ordinal);
        Assert.Equal(harness.Expected([1, 2], 40), await good);
        await harness.UntilIdle();
    }

    [Theory]
    [InlineData(BrokenPolicy.Fault.ThrowsInAcquire)]
    [InlineData(BrokenPolicy.Fault.ThrowsInInsert)]
    [InlineData(BrokenPolicy.Fault.ThrowsInEvict)]
    [InlineData(BrokenPolicy.Fault.EvictsPinned)]
    [InlineData(BrokenPolicy.Fault.LeasesForeign)]
    [InlineData(BrokenPolicy.Fault.AdoptsTooMany)]
    [InlineData(BrokenPolicy.Fault.ForgetsWhatItAdopted)]
    [InlineData(BrokenPolicy.Fault.PromisesPages)]
    public async Task Policy_Broken_CostsTheCacheOnly(BrokenPolicy.Fault fault)
    {
        var policy = new BrokenPolicy(new RadixLruPolicy(new CachePolicyOptions(24, 4)), fault);
        await using var harness = new Harness(FakeExecutor.Limits(pages: 24, length: 64), policy: policy);

        for (int round = 0; round < 4; round++)
        {
            int[][] prompts = [.. Enumerable.Range(0, 5).Select(i => Harness.Prompt(14 + (i % 2), (round * 3) + i))];
            List<GenerationEvent>[] texts = await harness.Together(prompts.Select(p => Harness.Greedy(p, 20)));
            for (int i = 0; i < texts.Length; i++)
            {
                Assert.True(texts[i][^1].Error is null, texts[i][^1].Error);
                Assert.Equal(harness.Expected(prompts[i], 20), Harness.TokensOf(texts[i]));
            }
        }

        if (fault != BrokenPolicy.Fault.PromisesPages)
        {
            // A policy that only promises too much keeps its pages, so its own count stays wrong by one.
            EngineStatistics end = await harness.UntilIdle();
            Assert.StartsWith("ERN4009", Assert.Single(harness.Warnings), StringComparison.Ordinal);
            Assert.Equal(24, end.PagesFree);
        }
    }
}
