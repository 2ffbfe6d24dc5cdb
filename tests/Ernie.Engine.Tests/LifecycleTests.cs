using Ernie.Engine.Tests.Fakes;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Tests;

public sealed class LifecycleTests
{
    [Fact]
    public async Task Queue_Full_RefusesTheNext()
    {
        await using var harness = new Harness(FakeExecutor.Limits(sequences: 1), maxQueued: 2);
        harness.Engine.Pause();
        Task<List<GenerationEvent>>[] taken = [.. Enumerable.Range(0, 3).Select(_ => harness.Run(Harness.Greedy([1], 2)))];

        RequestRejectedException e = Assert.Throws<RequestRejectedException>(() => harness.Engine.GenerateAsync(Harness.Greedy([1], 2)));

        Assert.Equal(RejectionReason.QueueFull, e.Reason);
        harness.Engine.Resume();
        await Task.WhenAll(taken);
        Assert.NotEmpty(await harness.Run(Harness.Greedy([1], 2)));
    }

    [Theory]
    [InlineData("queued")]
    [InlineData("prefill")]
    [InlineData("decode")]
    public async Task Cancel_AtAnyPoint_ReturnsEveryPage(string when)
    {
        await using var harness = new Harness(FakeExecutor.Limits(batchedTokens: 4, length: 256, pages: 64));
        using var cancellation = new CancellationTokenSource();
        if (when == "queued")
        {
            harness.Engine.Pause();
        }

        harness.Executor.OnBegin = batch =>
        {
            if (when == "prefill" ? batch.Start[0] > 40 : batch.Start[0] > 110)
            {
                cancellation.Cancel();
            }
        };
        Task<List<GenerationEvent>> run = harness.Run(Harness.Greedy(Harness.Prompt(100), 100), cancellation.Token);
        if (when == "queued")
        {
            await harness.Until(s => s.Waiting == 1);
            await cancellation.CancelAsync();
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        EngineStatistics end = await harness.UntilIdle();

        Assert.Equal(64, end.PagesFree + end.PagesEvictable);
    }

    [Fact]
    public async Task Cancel_TwoHundredTimes_LeavesTheEngineAsItWas()
    {
        await using var harness = new Harness(FakeExecutor.Limits(sequences: 4), device: true);
        for (int i = 0; i < 200; i++)
        {
            using var cancellation = new CancellationTokenSource();
            IAsyncEnumerator<GenerationEvent> reader = harness.Engine.GenerateAsync(Harness.Greedy(Harness.Prompt(9, i), 90)).GetAsyncEnumerator(cancellation.Token);
            await reader.MoveNextAsync();
            if (i % 2 == 0)
            {
                await cancellation.CancelAsync();
            }

            await reader.DisposeAsync();
        }

        EngineStatistics end = await harness.UntilIdle();
        Assert.Equal(64, end.PagesFree + end.PagesEvictable);
        Assert.Equal(harness.Expected([1, 2], 5), await harness.Tokens(Harness.Greedy([1, 2], 5)));
    }

    [Fact]
    public async Task Reader_ThatStops_HoldsNobodyUp()
    {
        await using var harness = new Harness(FakeExecutor.Limits(length: 1024, pages: 512));
        await using IAsyncEnumerator<GenerationEvent> slow = harness.Engine.GenerateAsync(Harness.Greedy([1, 2, 3], 900)).GetAsyncEnumerator();

        List<int> other = await harness.Tokens(Harness.Greedy([4, 5], 500));

        Assert.Equal(harness.Expected([4, 5], 500), other);
        await harness.UntilIdle();
        var tokens = new List<int>();
        while (await slow.MoveNextAsync())
        {
            tokens.Add(slow.Current.Token);
        }

        Assert.Equal(harness.Expected([1, 2, 3], 900), tokens);
    }

    [Fact]
    public async Task Drain_RefusesNewAndWaitsForOld()
    {
        await using var harness = new Harness();
        Task<List<int>> running = harness.Tokens(Harness.Greedy([1], 50));

        Task drained = harness.Engine.DrainAsync(CancellationToken.None);

        Assert.Equal(RejectionReason.Draining, Assert.Throws<RequestRejectedException>(() => harness.Engine.GenerateAsync(Harness.Greedy([1], 1))).Reason);
        await drained;
        Assert.Equal(harness.Expected([1], 50), await running);
    }

    [Fact]
    public async Task Pause_KeepsNewRequestsWaitingUntilResume()
    {
        await using var harness = new Harness();
        harness.Engine.Pause();
        Task<List<int>> waiting = harness.Tokens(Harness.Greedy([1], 3));
        await harness.Until(s => s.Waiting == 1);

        Assert.False(waiting.IsCompleted);
        harness.Engine.Resume();

        Assert.Equal(harness.Expected([1], 3), await waiting);
    }

    [Fact]
    public async Task AbortAll_EndsRunningAndWaiting()
    {
        await using var harness = new Harness(FakeExecutor.Limits(sequences: 1, length: 4096, pages: 1024));
        harness.Executor.OnComplete = () => Thread.Sleep(1);
        Task<List<GenerationEvent>>[] all = [.. Enumerable.Range(0, 3).Select(_ => harness.Run(Harness.Greedy([1], 4000)))];
        await harness.Until(s => s.GeneratedTokens > 3);

        int ended = await harness.Engine.AbortAllAsync();

        Assert.Equal(3, ended);
        Assert.All(await Task.WhenAll(all), events => Assert.Equal(FinishReason.Aborted, events[^1].FinishReason));
    }

    [Fact]
    public async Task ResetPrefixCache_FreesWhatIsNotInUse()
    {
        await using var harness = new Harness();
        await harness.Run(Harness.Greedy(Harness.Prompt(40), 1));

        Assert.Equal(10, await harness.Engine.ResetPrefixCacheAsync());
        Assert.Equal(0, (await harness.Run(Harness.Greedy(Harness.Prompt(40), 1)))[0].CachedTokens);
    }

    [Fact]
    public async Task Dispose_AbortsRequestsAndReleasesTheExecutor()
    {
        var harness = new Harness(FakeExecutor.Limits(length: 4096, pages: 1024));
        harness.Executor.OnComplete = () => Thread.Sleep(1);
        Task<List<GenerationEvent>> running = harness.Run(Harness.Greedy([1], 4000));
        await harness.Until(s => s.GeneratedTokens > 0);

        await harness.DisposeAsync();

        Assert.Equal(FinishReason.Aborted, (await running)[^1].FinishReason);
        Assert.True(harness.Executor.IsDisposed);
        Assert.Equal(RejectionReason.Draining, Assert.Throws<RequestRejectedException>(() => harness.Engine.GenerateAsync(Harness.Greedy([1], 1))).Reason);
    }

    [Fact]
    public async Task Generation_EnumeratedTwice_IsRefused()
    {
        await using var harness = new Harness();
        IAsyncEnumerable<GenerationEvent> stream = harness.Engine.GenerateAsync(Harness.Greedy([1], 1));
        await foreach (GenerationEvent _ in stream)
        {
        }

        Assert.Throws<InvalidOperationException>(() => stream.GetAsyncEnumerator());
    }

    [Fact]
    public async Task Statistics_OfTraffic_AddUp()
    {
        await using var harness = new Harness();
        await harness.Run(Harness.Greedy(Harness.Prompt(20), 7));
        await harness.Run(Harness.Greedy(Harness.Prompt(20), 7));

        EngineStatistics s = await harness.UntilIdle();

        Assert.Equal((40, 16, 14, 0), (s.PromptTokens, s.CachedTokens, s.GeneratedTokens, s.Preemptions));
        Assert.Null(s.Failure);
    }

    public static TheoryData<string, RejectionReason, Func<GenerationRequest, GenerationRequest>> Wrong => new()
    {
        { "prompt", RejectionReason.Invalid, r => r with { PromptTokens = [] } },
        { "prompt", RejectionReason.Invalid, r => r with { PromptTokens = [-1] } },
        { "pooling", RejectionReason.Invalid, r => r with { Pooling = (PromptPooling)3 } },
        { "prompt", RejectionReason.Invalid, r => r with { PromptTokens = [50] } },
        { "prompt", RejectionReason.TooLong, r => r with { PromptTokens = new int[128] } },
        { "prompt", RejectionReason.TooLong, r => r with { PromptTokens = new int[129], MaxTokens = 0 } },
        { "max_tokens", RejectionReason.Invalid, r => r with { MaxTokens = -1 } },
        { "logprobs", RejectionReason.Invalid, r => r with { Logprobs = -1 } },
        { "logprobs", RejectionReason.Invalid, r => r with { Logprobs = 51 } },
        { "prompt_logprobs", RejectionReason.Invalid, r => r with { PromptLogprobs = 51 } },
        { "stop_token_ids", RejectionReason.Invalid, r => r with { StopTokens = [50] } },
        { "temperature", RejectionReason.Invalid, r => r with { Sampling = new() { Temperature = -0.1f } } },
        { "temperature", RejectionReason.Invalid, r => r with { Sampling = new() { Temperature = float.NaN } } },
        { "top_p", RejectionReason.Invalid, r => r with { Sampling = new() { TopP = -0.01f } } },
        { "allowed_token_ids", RejectionReason.Invalid, r => r with { Sampling = new() { AllowedTokens = [] } } },
        { "allowed_token_ids", RejectionReason.Invalid, r => r with { Sampling = new() { AllowedTokens = [-1] } } },
        { "allowed_token_ids", RejectionReason.Invalid, r => r with { Sampling = new() { AllowedTokens = [3], LogitBias = new Dictionary<int, float> { [3] = -100 } } } },
        { "allowed_token_ids", RejectionReason.Invalid, r => r with { Sampling = new() { AllowedTokens = [3], LogitBias = new Dictionary<int, float> { [4] = 100 } } } },
        { "allowed_token_ids", RejectionReason.Invalid, r => r with { Sampling = new() { AllowedTokens = [3], MinTokens = 1 }, EndTokens = [3] } },
        { "logit_bias", RejectionReason.Invalid, r => r with { Sampling = new() { MinTokens = 1, LogitBias = new Dictionary<int, float> { [3] = 100 } }, EndTokens = [3] } },
        { "logprob_token_ids", RejectionReason.Invalid, r => r with { Logprobs = 0, LogprobTokens = [-1] } },
        { "top_p", RejectionReason.Invalid, r => r with { Sampling = new() { TopP = 1.01f } } },
        { "min_p", RejectionReason.Invalid, r => r with { Sampling = new() { MinP = -0.01f } } },
        { "repetition_penalty", RejectionReason.Invalid, r => r with { Sampling = new() { RepetitionPenalty = 0 } } },
        { "presence_penalty", RejectionReason.Invalid, r => r with { Sampling = new() { PresencePenalty = float.NaN } } },
        { "frequency_penalty", RejectionReason.Invalid, r => r with { Sampling = new() { FrequencyPenalty = float.PositiveInfinity } } },
        { "min_tokens", RejectionReason.Invalid, r => r with { Sampling = new() { MinTokens = -1 } } },
        { "logit_bias", RejectionReason.Invalid, r => r with { Sampling = new() { LogitBias = new Dictionary<int, float> { [50] = 1 } } } },
        { "bad_words", RejectionReason.Invalid, r => r with { Sampling = new() { BadWords = [[1, 50]] } } },
        { "sampler", RejectionReason.Invalid, r => r with { Sampling = new() { Sampler = "nobody" } } },
        { "sampler", RejectionReason.Invalid, r => r with { Sampling = new() { Sampler = "picky", Extra = new Dictionary<string, double> { ["refuse"] = 1 } } } },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task Request_OutOfBounds_IsRefusedByField(string parameter, RejectionReason reason, Func<GenerationRequest, GenerationRequest> change)
    {
        await using var harness = new Harness(samplers: [new DelegateSampler("picky", static (ref SamplingRow _) => 0)]);

        RequestRejectedException e = Assert.Throws<RequestRejectedException>(() => harness.Engine.GenerateAsync(change(Harness.Greedy([1], 1))));

        Assert.Equal((reason, parameter), (e.Reason, e.Parameter));
    }

    [Theory]
    [InlineData(127, 1)]
    [InlineData(128, 0)]
    public async Task Request_AtTheModelsLength_IsTaken(int promptLength, int maxTokens)
    {
        await using var harness = new Harness();

        Assert.NotEmpty(await harness.Run(Harness.Greedy(Harness.Prompt(promptLength), maxTokens)));
    }

    [Fact]
    public async Task Length_BeyondThePool_IsRefusedAtOnce()
    {
        await using var harness = new Harness(FakeExecutor.Limits(pages: 8));

        Assert.Equal(32, harness.Engine.Info.MaxModelLength);
        Assert.Equal(RejectionReason.TooLong, Assert.Throws<RequestRejectedException>(() => harness.Engine.GenerateAsync(Harness.Greedy(Harness.Prompt(32), 1))).Reason);
        Assert.Single(await harness.Run(Harness.Greedy(Harness.Prompt(31), 10)));
    }
}
