using Ernie.Engine.Tests.Fakes;
using Ernie.Execution;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Tests;

public sealed class GenerationTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(4, false)]
    [InlineData(5, false)]
    [InlineData(63, false)]
    [InlineData(64, false)]
    [InlineData(65, false)]
    [InlineData(100, false)]
    [InlineData(1, true)]
    [InlineData(64, true)]
    [InlineData(100, true)]
    public async Task Generate_PromptsAroundPagesAndSteps_ContinueAsTheModelDoes(int length, bool device)
    {
        await using var harness = new Harness(FakeExecutor.Limits(depth: device ? 2 : 1), device: device);
        int[] prompt = Harness.Prompt(length);

        List<GenerationEvent> events = await harness.Run(Harness.Greedy(prompt, 20));

        Assert.Equal(harness.Expected(prompt, 20), Harness.TokensOf(events));
        Assert.Equal(FinishReason.Length, events[^1].FinishReason);
        Assert.All(events.SkipLast(1), e => Assert.Equal(FinishReason.None, e.FinishReason));
    }

    [Fact]
    public async Task Generate_EndToken_Stops()
    {
        await using var harness = new Harness();
        int[] prompt = Harness.Prompt(7);
        int end = harness.Expected(prompt, 6)[5];

        List<GenerationEvent> events = await harness.Run(Harness.Greedy(prompt, 50) with { EndTokens = [end] });

        Assert.Equal(harness.Expected(prompt, 50, [end]), Harness.TokensOf(events));
        Assert.Equal((FinishReason.Stop, (int?)null), (events[^1].FinishReason, events[^1].StopToken));
    }

    [Fact]
    public async Task Generate_StopToken_StopsAndIsNamed()
    {
        await using var harness = new Harness();
        int[] prompt = Harness.Prompt(7);
        int stop = harness.Expected(prompt, 6)[5];

        List<GenerationEvent> events = await harness.Run(Harness.Greedy(prompt, 50) with { StopTokens = [stop], EndTokens = [stop], IgnoreEndTokens = true });

        Assert.Equal((FinishReason.Stop, (int?)stop), (events[^1].FinishReason, events[^1].StopToken));
    }

    [Fact]
    public async Task Generate_IgnoringEndTokens_GoesOn()
    {
        await using var harness = new Harness();
        int[] prompt = Harness.Prompt(7);
        int end = harness.Expected(prompt, 6)[5];

        List<int> tokens = await harness.Tokens(Harness.Greedy(prompt, 20) with { EndTokens = [end], IgnoreEndTokens = true });

        Assert.Equal(harness.Expected(prompt, 20), tokens);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    public async Task Generate_MinTokens_HoldsStopsOff(int minTokens)
    {
        await using var harness = new Harness();
        int[] every = [.. Enumerable.Range(0, 49)];

        List<GenerationEvent> events = await harness.Run(new GenerationRequest
        {
            PromptTokens = Harness.Prompt(9),
            MaxTokens = 20,
            EndTokens = every,
            Sampling = SamplingOptions.Greedy with { MinTokens = minTokens },
        });

        // Only token 49 is no end token: it fills the first places, and the next token that is one ends the text.
        List<int> tokens = Harness.TokensOf(events);
        Assert.All(tokens.Take(minTokens), token => Assert.Equal(49, token));
        Assert.True(tokens.Count > minTokens);
        Assert.NotEqual(49, tokens[^1]);
        Assert.Equal(FinishReason.Stop, events[^1].FinishReason);
    }

    [Theory]
    [InlineData(27, 5, 5)]
    [InlineData(27, 6, 5)]
    [InlineData(31, 100, 1)]
    public async Task Generate_BeyondTheModelsLength_IsCut(int promptLength, int maxTokens, int expected)
    {
        await using var harness = new Harness(FakeExecutor.Limits(length: 32));

        List<GenerationEvent> events = await harness.Run(Harness.Greedy(Harness.Prompt(promptLength), maxTokens));

        Assert.Equal(expected, Harness.TokensOf(events).Count);
        Assert.Equal(FinishReason.Length, events[^1].FinishReason);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(130)]
    public async Task Generate_NoTokensWanted_EvaluatesThePromptOnly(int promptLength)
    {
        await using var harness = new Harness(FakeExecutor.Limits(length: 256));

        List<GenerationEvent> events = await harness.Run(Harness.Greedy(Harness.Prompt(promptLength), 0));

        GenerationEvent only = Assert.Single(events);
        Assert.Equal((-1, FinishReason.Length), (only.Token, only.FinishReason));
        Assert.Equal(promptLength, harness.Executor.TokensComputed);
    }

    [Theory]
    [InlineData(5, PromptPooling.Mean)]
    [InlineData(130, PromptPooling.Mean)]
    [InlineData(5, PromptPooling.Last)]
    [InlineData(130, PromptPooling.Last)]
    public async Task Generate_Pooling_IsOfEveryPositionOrTheLast(int promptLength, PromptPooling pooling)
    {
        await using var harness = new Harness(FakeExecutor.Limits(length: 256));
        int[] prompt = Harness.Prompt(promptLength);
        await harness.Run(Harness.Greedy(prompt, 1));

        List<GenerationEvent> events = await harness.Run(new GenerationRequest { PromptTokens = prompt, MaxTokens = 0, Pooling = pooling });

        GenerationEvent only = Assert.Single(events);
        Assert.Equal(FinishReason.Stop, only.FinishReason);
        for (int i = 0; i < 8; i++)
        {
            int first = pooling == PromptPooling.Mean ? 1 : promptLength;
            double expected = Enumerable.Range(first, promptLength - first + 1).Average(n => (double)PureModel.Hidden(PureModel.Hash(prompt.AsSpan(0, n)), i));
            Assert.Equal(expected, only.Pooled![i], 1e-5);
        }
    }

    /// <summary>The device of these tests tells up to three rivals: more are the host's.</summary>
    [Theory]
    [InlineData(0, false, 0)]
    [InlineData(3, false, 0)]
    [InlineData(0, true, 12)]
    [InlineData(3, true, 12)]
    [InlineData(4, true, 0)]
    public async Task Generate_Logprobs_AreOfTheRawDistribution(int top, bool device, int drawnThere)
    {
        await using var harness = new Harness(FakeExecutor.Limits(depth: 2), device: device);
        int[] prompt = Harness.Prompt(6);
        var options = new SamplingOptions { Temperature = 0.3f, TopK = 5, Seed = 3, LogitBias = new Dictionary<int, float> { [4] = 50 } };

        List<GenerationEvent> events = await harness.Run(new GenerationRequest { PromptTokens = prompt, MaxTokens = 12, Sampling = options, Logprobs = top });

        var sequence = new List<int>(prompt);
        foreach (GenerationEvent e in events)
        {
            AssertLogprobs(sequence, e.Token, top, e.Logprobs!, harness.Vocabulary);
            sequence.Add(e.Token);
        }

        Assert.Equal(drawnThere, (harness.Executor as FakeDeviceExecutor)?.Draws ?? 0);
    }

    [Theory]
    [InlineData(1, 2, false)]
    [InlineData(2, 2, false)]
    [InlineData(100, 2, false)]
    [InlineData(1, 2, true)]
    [InlineData(2, 2, true)]
    [InlineData(64, 2, true)]
    [InlineData(65, 2, true)]
    [InlineData(66, 0, true)]
    [InlineData(100, 3, true)]
    [InlineData(100, 4, true)]
    public async Task Generate_PromptLogprobs_ComeWithTheFirstEvent(int promptLength, int top, bool device)
    {
        await using var harness = new Harness(FakeExecutor.Limits(depth: 2), device: device);
        int[] prompt = Harness.Prompt(promptLength);
        await harness.Run(Harness.Greedy(prompt, 1));

        List<GenerationEvent> events = await harness.Run(Harness.Greedy(prompt, 3) with { PromptLogprobs = top });

        Assert.Equal(harness.Expected(prompt, 3), Harness.TokensOf(events));
        IReadOnlyList<TokenLogprobs?> logprobs = events[0].PromptLogprobs!;
        Assert.Equal(promptLength, logprobs.Count);
        Assert.Null(logprobs[0]);
        Assert.All(events.Skip(1), e => Assert.Null(e.PromptLogprobs));
        for (int i = 1; i < promptLength; i++)
        {
            AssertLogprobs(prompt[..i], prompt[i], top, logprobs[i]!, harness.Vocabulary);
        }

        // A device that tells them draws for the request as for any other.
        Assert.Equal(device && top <= 3 ? 4 : device ? 1 : 0, (harness.Executor as FakeDeviceExecutor)?.Draws ?? 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Generate_Seeded_IsTheSameAloneAndAmongOthers(bool device)
    {
        await using var harness = new Harness(FakeExecutor.Limits(depth: device ? 2 : 1), device: device);
        GenerationRequest Choice(int index) => new()
        {
            PromptTokens = Harness.Prompt(10),
            MaxTokens = 20,
            ChoiceIndex = index,
            Sampling = new SamplingOptions { Temperature = 1.5f, TopP = 0.9f, Seed = 42 },
        };
        var alone = new List<List<int>>();
        for (int i = 0; i < 4; i++)
        {
            alone.Add(await harness.Tokens(Choice(i)));
        }

        List<int>[] together = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => harness.Tokens(Choice(i))));

        Assert.Equal(alone, together);
        Assert.Equal(4, together.Select(t => string.Join(',', t)).Distinct().Count());
    }

    [Fact]
    public async Task Generate_Unseeded_Varies()
    {
        await using var harness = new Harness();
        var request = new GenerationRequest { PromptTokens = [1], MaxTokens = 20, Sampling = new SamplingOptions { Temperature = 2 } };

        Assert.NotEqual(await harness.Tokens(request), await harness.Tokens(request));
    }

    [Fact]
    public async Task Generate_SamplerWithNeeds_GetsThem()
    {
        var seen = new List<(int Counts, int[] Tail, byte Scratch)>();
        var sampler = new DelegateSampler("needy", Draw, SamplerNeeds.TokenCounts | SamplerNeeds.Tail | SamplerNeeds.Scratch);
        int Draw(ref SamplingRow row)
        {
            seen.Add((row.TokenCounts[7], row.Tail.ToArray(), row.Scratch[0]++));
            return 7;
        }

        await using var harness = new Harness(samplers: [sampler]);
        await harness.Run(new GenerationRequest { PromptTokens = [7, 9], MaxTokens = 3, Sampling = new SamplingOptions { Sampler = "needy" } });

        Assert.Equal([0, 1, 2], seen.Select(s => s.Counts));
        Assert.Equal([0, 1, 2], seen.Select(s => (int)s.Scratch));
        Assert.Equal([7, 9, 7, 7], seen[2].Tail);
    }

    [Fact]
    public async Task Generate_Overlapped_KeepsTokensOnTheDevice()
    {
        await using var harness = new Harness(FakeExecutor.Limits(depth: 2), device: true);
        int onDevice = 0;
        harness.Executor.OnBegin = batch => onDevice += batch.Tokens.AsSpan(0, batch.TokenCount).Count(StepBatch.TokenOnDevice);

        await harness.Run(Harness.Greedy(Harness.Prompt(5), 30));

        Assert.InRange(onDevice, 25, 30);
    }

    [Fact]
    public async Task Generate_OverlappedWithHostRows_MixesBoth()
    {
        await using var harness = new Harness(FakeExecutor.Limits(depth: 2), device: true);
        int[] a = Harness.Prompt(9, 1), b = Harness.Prompt(9, 2), c = Harness.Prompt(9, 3);

        List<GenerationEvent>[] all = await Task.WhenAll(
            harness.Run(Harness.Greedy(a, 40)),
            harness.Run(Harness.Greedy(b, 40) with { Logprobs = 1 }),
            harness.Run(Harness.Greedy(c, 40) with { Sampling = SamplingOptions.Greedy with { BadWords = [[49, 49, 49, 49]] } }));

        Assert.Equal(harness.Expected(a, 40), Harness.TokensOf(all[0]));
        Assert.Equal(harness.Expected(b, 40), Harness.TokensOf(all[1]));
        Assert.Equal(harness.Expected(c, 40), Harness.TokensOf(all[2]));
        Assert.NotNull(all[1][0].Logprobs);
    }

    private static void AssertLogprobs(IReadOnlyList<int> before, int token, int top, TokenLogprobs actual, int vocabulary)
    {
        var logits = new float[vocabulary];
        PureModel.Logits(PureModel.Hash([.. before]), logits);
        double normalizer = Math.Log(logits.Sum(l => Math.Exp(l)));
        int[] order = [.. Enumerable.Range(0, vocabulary).OrderByDescending(i => logits[i]).ThenBy(i => i)];

        Assert.Equal(token, actual.Token);
        Assert.Equal(logits[token] - normalizer, actual.Logprob, 1e-5);
        Assert.Equal(Array.IndexOf(order, token) + 1, actual.Rank);
        Assert.Equal(order.Take(top), actual.Top.Select(t => t.Token));
        Assert.All(actual.Top, t => Assert.Equal(logits[t.Token] - normalizer, t.Logprob, 1e-5));
    }
}
