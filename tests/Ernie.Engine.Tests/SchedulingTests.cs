using System.Runtime.InteropServices;
using Ernie.Engine.Tests.Fakes;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Tests;

public sealed class SchedulingTests
{
    private readonly List<(int Slot, int Start, int Count)[]> _steps = [];

    private void Record(Harness harness) => harness.Executor.OnBegin = batch =>
        _steps.Add([.. Enumerable.Range(0, batch.RowCount).Select(row => (batch.Slot[row], batch.Start[row], batch.Count[row]))]);

    [Fact]
    public async Task Step_LongPrompt_IsChunkedAndMixedWithDecoding()
    {
        await using var harness = new Harness(FakeExecutor.Limits(batchedTokens: 16), cache: false);
        Record(harness);

        // The first request's decoding waits at its first step for the second request.
        using var secondIsQueued = new ManualResetEventSlim();
        int completed = 0;
        harness.Executor.OnComplete = () =>
        {
            if (++completed > 1)
            {
                secondIsQueued.Wait(TimeSpan.FromSeconds(30));
            }
        };
        Task<List<GenerationEvent>> first = harness.Run(Harness.Greedy(Harness.Prompt(4, 1), 60));
        await harness.Until(s => s.GeneratedTokens > 0);

        Task<List<int>> second = harness.Tokens(Harness.Greedy(Harness.Prompt(50, 2), 3));
        secondIsQueued.Set();

        Assert.Equal(harness.Expected(Harness.Prompt(50, 2), 3), await second);
        await first;
        Assert.All(_steps, step => Assert.True(step.Sum(r => r.Count) <= 16));
        (int Slot, int Start, int Count)[][] mixed = [.. _steps.Where(step => step.Length == 2 && step[^1].Count > 1)];
        Assert.True(mixed.Length >= 3, "the prompt was to be split over steps that decode too");
        Assert.All(mixed, step => Assert.Equal(1, step[0].Count));
    }

    [Fact]
    public async Task Step_WithoutChunking_TakesAPromptWhole()
    {
        await using var harness = new Harness(FakeExecutor.Limits(batchedTokens: 16), cache: false, chunked: false);
        harness.Engine.Pause();
        Task<List<int>>[] all = [.. Enumerable.Range(0, 3).Select(i => harness.Tokens(Harness.Greedy(Harness.Prompt(10, i), 3)))];
        await harness.Until(s => s.Waiting == 3);
        Record(harness);

        harness.Engine.Resume();
        await Task.WhenAll(all);

        Assert.All(_steps.SelectMany(s => s), row => Assert.True(row.Count is 1 or 10));
    }

    [Fact]
    public async Task Admission_LargerPriority_GoesFirst()
    {
        await using var harness = new Harness(FakeExecutor.Limits(sequences: 1));
        harness.Engine.Pause();
        // The order in which prompts are computed: completions reach their readers in any order.
        var order = new List<int>();
        harness.Executor.OnBegin = batch =>
        {
            if (batch.Start[0] == 0)
            {
                int[] prompt = batch.Tokens.AsSpan(batch.TokenOffset[0], batch.Count[0]).ToArray();
                order.AddRange(Enumerable.Range(0, 3).Where(priority => prompt.SequenceEqual(Harness.Prompt(5, priority))));
            }
        };
        Task Run(int priority) => harness.Run(Harness.Greedy(Harness.Prompt(5, priority), 2) with { Priority = priority });
        Task[] all = [Run(0), Run(2), Run(1)];
        await harness.Until(s => s.Waiting == 3);

        harness.Engine.Resume();
        await Task.WhenAll(all);

        Assert.Equal([2, 1, 0], order);
    }

    [Fact]
    public async Task Preemption_UnderFewPages_LosesNothing()
    {
        await using var harness = new Harness(FakeExecutor.Limits(pages: 12, length: 48));
        int[][] prompts = [.. Enumerable.Range(0, 6).Select(i => Harness.Prompt(6, i))];

        List<GenerationEvent>[] texts = await harness.Together(prompts.Select(p => Harness.Greedy(p, 30)));

        Assert.Equal(prompts.Select(p => harness.Expected(p, 30)), texts.Select(Harness.TokensOf));
        Assert.True((await harness.UntilIdle()).Preemptions > 0);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    public async Task Preemption_OfASamplerWithScratch_GoesOnWithItsState(bool device, int depth)
    {
        var sampler = new DelegateSampler("remembers", Remember, SamplerNeeds.Scratch);
        GenerationRequest[] requests =
        [
            .. Enumerable.Range(0, 6).Select(i => Harness.Greedy(Harness.Prompt(6, i), 30) with { Sampling = new SamplingOptions { Sampler = sampler.Name, Seed = (ulong)i } }),
        ];
        await using var few = new Harness(FakeExecutor.Limits(pages: 12, length: 48, depth: depth), device: device, samplers: [sampler]);
        await using var many = new Harness(FakeExecutor.Limits(pages: 100, length: 48, depth: depth), device: device, samplers: [sampler]);

        List<GenerationEvent>[] disturbed = await few.Together(requests), undisturbed = await many.Together(requests);

        Assert.True((await few.UntilIdle()).Preemptions > 0);
        Assert.Equal(0, (await many.UntilIdle()).Preemptions);
        Assert.Equal(undisturbed.Select(Harness.TokensOf), disturbed.Select(Harness.TokensOf));
    }

    // A token that depends on all draws of the request so far, by what they left in its scratch block.
    private static int Remember(ref SamplingRow row)
    {
        Span<uint> state = MemoryMarshal.Cast<byte, uint>(row.Scratch);
        Span<float> logits = row.Logits;
        int best = 0;
        for (int i = 1; i < logits.Length; i++)
        {
            best = logits[i] > logits[best] ? i : best;
        }

        int token = (int)((state[3] + row.Random.NextUInt32() + (uint)best) % (uint)logits.Length);
        state[0]++;
        state[3] = ((state[3] + (uint)token) * 2654435761) ^ state[0];
        return token;
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(4, 0)]
    [InlineData(5, 4)]
    [InlineData(8, 4)]
    [InlineData(9, 8)]
    [InlineData(41, 40)]
    public async Task PrefixCache_RepeatedPrompt_ReusesWholePagesButNotTheLastToken(int length, int cached)
    {
        await using var harness = new Harness();
        int[] prompt = Harness.Prompt(length);
        List<GenerationEvent> first = await harness.Run(Harness.Greedy(prompt, 5));

        List<GenerationEvent> second = await harness.Run(Harness.Greedy(prompt, 5));

        Assert.Equal(0, first[0].CachedTokens);
        Assert.Equal(cached, second[0].CachedTokens);
        Assert.Equal(Harness.TokensOf(first), Harness.TokensOf(second));
        Assert.All(second.Skip(1), e => Assert.Equal(0, e.CachedTokens));
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(8, 1)]
    [InlineData(40, 1)]
    [InlineData(40, 2)]
    public async Task PrefixCache_WholePromptCached_ComputesItsLastTokenAlone(int length, int depth)
    {
        await using var harness = new Harness(FakeExecutor.Limits(copies: true, depth: depth), device: depth > 1);
        int[] prompt = Harness.Prompt(length);
        List<GenerationEvent> first = await harness.Run(Harness.Greedy(prompt, 5));
        long before = harness.Executor.TokensComputed;

        List<GenerationEvent> second = await harness.Run(Harness.Greedy(prompt, 5));

        Assert.Equal(length - 1, second[0].CachedTokens);
        Assert.Equal(harness.Expected(prompt, 5), Harness.TokensOf(first));
        Assert.Equal(harness.Expected(prompt, 5), Harness.TokensOf(second));

        // The last token of the prompt, and four of the five that were drawn.
        Assert.Equal(1 + 4, harness.Executor.TokensComputed - before);
    }

    [Fact]
    public async Task PrefixCache_WholePromptCached_ManyAtOnce_KeepTheirTextsAndPages()
    {
        await using var harness = new Harness(FakeExecutor.Limits(copies: true, pages: 24));
        int[] prompt = Harness.Prompt(16);
        await harness.Run(Harness.Greedy(prompt, 1));

        List<GenerationEvent>[] all = await harness.Together(Enumerable.Range(0, 6).Select(i => Harness.Greedy(prompt, 10 + i)));

        Assert.All(all, events => Assert.Equal(15, events[0].CachedTokens));
        Assert.Equal(Enumerable.Range(0, 6).Select(i => harness.Expected(prompt, 10 + i)), all.Select(Harness.TokensOf));
        EngineStatistics end = await harness.UntilIdle();
        Assert.Equal(24, end.PagesFree + end.PagesEvictable);
    }

    [Fact]
    public async Task PrefixCache_PartialPrompt_ReusesWhatIsEqual()
    {
        await using var harness = new Harness();
        int[] prompt = Harness.Prompt(40);
        await harness.Run(Harness.Greedy(prompt, 1));
        int[] other = [.. prompt];
        other[21] ^= 1;

        List<GenerationEvent> events = await harness.Run(Harness.Greedy(other, 5));

        Assert.Equal(20, events[0].CachedTokens);
        Assert.Equal(harness.Expected(other, 5), Harness.TokensOf(events));
    }

    [Fact]
    public async Task PrefixCache_OtherSalt_SharesNothing()
    {
        await using var harness = new Harness();
        int[] prompt = Harness.Prompt(40);
        await harness.Run(Harness.Greedy(prompt, 1) with { CacheSalt = "a" });

        Assert.Equal(0, (await harness.Run(Harness.Greedy(prompt, 1) with { CacheSalt = "b" }))[0].CachedTokens);
        Assert.Equal(0, (await harness.Run(Harness.Greedy(prompt, 1)))[0].CachedTokens);
        Assert.Equal(36, (await harness.Run(Harness.Greedy(prompt, 1) with { CacheSalt = "a" }))[0].CachedTokens);
    }

    [Fact]
    public async Task PrefixCache_GeneratedPages_AreReusedByTheNextTurn()
    {
        await using var harness = new Harness();
        int[] prompt = Harness.Prompt(10);
        List<int> answer = await harness.Tokens(Harness.Greedy(prompt, 20));

        List<GenerationEvent> next = await harness.Run(Harness.Greedy([.. prompt, .. answer, 1, 2, 3], 2));

        // 29 of the 30 positions were computed: the last token was drawn and never run.
        Assert.Equal(28, next[0].CachedTokens);
    }

    [Fact]
    public async Task PrefixCache_SimultaneousChoices_ComputeTheirPromptOnce()
    {
        await using var harness = new Harness(FakeExecutor.Limits(batchedTokens: 256, length: 256, pages: 256));
        int[] prompt = Harness.Prompt(101);
        harness.Engine.Pause();
        Task<List<GenerationEvent>>[] choices = [.. Enumerable.Range(0, 4).Select(i => harness.Run(Harness.Greedy(prompt, 1) with { ChoiceIndex = i }))];
        await harness.Until(s => s.Waiting == 4);

        harness.Engine.Resume();
        await Task.WhenAll(choices);

        // The whole prompt once, then for each other choice what lies behind its last full page.
        Assert.Equal(101 + 3, harness.Executor.TokensComputed);
    }

    [Fact]
    public async Task PrefixCache_SwitchedOff_ReusesNothing()
    {
        await using var harness = new Harness(cache: false);
        int[] prompt = Harness.Prompt(40);
        await harness.Run(Harness.Greedy(prompt, 1));

        Assert.Equal(0, (await harness.Run(Harness.Greedy(prompt, 1)))[0].CachedTokens);
        Assert.Null(harness.Engine.Info.CachePolicy);
    }

    [Fact]
    public async Task Batch_DecodeRows_ComeBeforePrefillRows()
    {
        await using var harness = new Harness(FakeExecutor.Limits(batchedTokens: 8, pages: 128));
        Record(harness);

        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => harness.Run(Harness.Greedy(Harness.Prompt(3 + i, i), 8))));

        Assert.All(_steps, step => Assert.DoesNotContain(
            Enumerable.Range(1, step.Length - 1), i => step[i].Count == 1 && step[i - 1].Count > 1 && step[i].Start >= 15));
    }
}
