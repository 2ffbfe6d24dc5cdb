using Ernie.Engine.Tests.Fakes;
using Ernie.Execution;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Tests.Drafting;

/// <summary>Whatever is drafted, a request gets the tokens that it would have had without, in as few rows as the drafts were good for.</summary>
public sealed class DraftTests
{
    private const int Vocabulary = 50, MaxDrafts = 4;

    private static readonly string[] s_sources = ["right", "wrong", "half", "foreign", "none", "mixed"];

    private static readonly bool[] s_backends = [false, true];

    private static readonly string[] s_requests =
        ["greedy", "sampled", "penalties", "bad words", "bias", "min tokens", "stop", "end", "max tokens", "one token", "model length", "scratch", "tail", "logprobs", "prompt logprobs"];

    // The device of these tests keeps no tail.
    public static TheoryData<string, string, bool> Cases =>
        new(from source in s_sources from kind in s_requests from device in s_backends where kind != "tail" || !device select (source, kind, device));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Generate_WithDrafts_GivesTheTokensOfNone(string source, string kind, bool device)
    {
        GenerationRequest request = Request(kind);
        await using Harness without = Create(device, _ => []);
        List<GenerationEvent> expected = await without.Run(request);
        int[] truth = [.. request.PromptTokens, .. Harness.TokensOf(expected)];
        await using Harness with = Create(device, tokens => Drafts(source, truth, tokens));

        List<GenerationEvent> events = await with.Run(request);

        Assert.Equal(expected.Select(Told), events.Select(Told));
        Assert.Equal(Told(expected[0].PromptLogprobs), Told(events[0].PromptLogprobs));
        await with.UntilIdle();
        Assert.Empty(with.Warnings);
        // A device tells log-probabilities of one token a row, so such a request has no drafts there.
        int accepted = device && kind == "logprobs" ? 0 : source switch { "right" => MaxDrafts, "half" => 2, "foreign" => 1, _ => 0 };
        int tokens = Harness.TokensOf(events).Count, perRow = accepted + 1;
        if (source != "mixed" && kind != "prompt logprobs")
        {
            // The first token comes with the prompt.
            Assert.Equal(1 + ((tokens - 1 + perRow - 1) / perRow), with.Executor.TokensDrawn);
        }
    }

    [Theory]
    [InlineData(false, 4, 4)]
    [InlineData(true, 4, 4)]
    [InlineData(true, 2, 2)]
    [InlineData(true, 0, 0)]
    public async Task Generate_DeviceWithItsOwnLimit_IsGivenNoMoreDrafts(bool device, int deviceDrafts, int most)
    {
        var info = FakeExecutor.Limits(depth: 2);
        int[] prompt = Harness.Prompt(6);
        int[] truth = [.. prompt, .. PureModel.Greedy(prompt, 30, Vocabulary)];
        var drafts = new DelegateDrafts(MaxDrafts, tokens => truth.Skip(tokens.Length));
        await using var harness = new Harness(
            executor: device ? new FakeDeviceExecutor(info) { MaxDrafts = deviceDrafts } : new FakeExecutor(info), drafts: drafts);
        int longest = 0;
        harness.Executor.OnBegin = batch => longest = Math.Max(
            longest, Enumerable.Range(0, batch.RowCount).Where(row => batch.Kind[row] == StepRowKind.Verify).Select(row => batch.Count[row] - 1).DefaultIfEmpty().Max());

        Assert.Equal(truth[prompt.Length..], await harness.Tokens(Harness.Greedy(prompt, 30)));

        Assert.Equal((most, most), (longest, drafts.MostAsked));
    }

    [Fact]
    public async Task Generate_ManySequencesAndFewTokensAStep_KeepsARowForEach()
    {
        // Eight sequences and ten tokens a step: the drafts of the first ones must not take the places of the others.
        var drafts = new DelegateDrafts(6, tokens => Enumerable.Repeat(1, 6));
        await using var harness = new Harness(FakeExecutor.Limits(batchedTokens: 10, pages: 256), drafts: drafts);
        var full = new List<int>();
        harness.Executor.OnBegin = batch =>
        {
            Assert.InRange(batch.TokenCount, 1, 10);
            if (batch.RowCount == 8)
            {
                full.Add(batch.TokenCount);
            }
        };
        GenerationRequest[] requests = [.. Enumerable.Range(0, 8).Select(i => Harness.Greedy(Harness.Prompt(1, i), 40))];

        List<GenerationEvent>[] all = await harness.Together(requests);

        Assert.All(Enumerable.Range(0, 8), i => Assert.Equal(harness.Expected([.. requests[i].PromptTokens], 40), Harness.TokensOf(all[i])));
        Assert.Contains(10, full);
    }

    [Fact]
    public async Task Generate_NoPagesForDrafts_GoesOnWithoutThem()
    {
        // Two sequences of 16 tokens fill eight pages of four: drafts across a page's end have none to take.
        var drafts = new DelegateDrafts(MaxDrafts, tokens => Enumerable.Repeat(2, MaxDrafts));
        await using var harness = new Harness(FakeExecutor.Limits(pages: 8, length: 32), cache: false, drafts: drafts);
        GenerationRequest[] requests = [.. Enumerable.Range(0, 2).Select(i => Harness.Greedy(Harness.Prompt(4, i), 13))];

        List<GenerationEvent>[] all = await harness.Together(requests);

        Assert.All(Enumerable.Range(0, 2), i => Assert.Equal(harness.Expected([.. requests[i].PromptTokens], 13), Harness.TokensOf(all[i])));
        Assert.Equal(0, (await harness.UntilIdle()).Preemptions);
    }

    [Fact]
    public async Task Generate_ReaderLeavesInsideARun_FreesItsPages()
    {
        int[] prompt = Harness.Prompt(6);
        int[] truth = [.. prompt, .. PureModel.Greedy(prompt, 100, Vocabulary)];
        await using var harness = new Harness(drafts: new DelegateDrafts(MaxDrafts, tokens => truth.Skip(tokens.Length)));

        // A stop string is found by the reader, which reads no further.
        var read = new List<int>();
        await foreach (GenerationEvent e in harness.Engine.GenerateAsync(Harness.Greedy(prompt, 100)))
        {
            read.Add(e.Token);
            if (read.Count == 8)
            {
                break;
            }
        }

        Assert.Equal(truth[prompt.Length..(prompt.Length + 8)], read);
        EngineStatistics idle = await harness.UntilIdle();
        Assert.Equal(harness.Executor.Info.PageCount, idle.PagesFree + idle.PagesEvictable);
        Assert.Empty(harness.Warnings);
    }

    [Fact]
    public async Task Generate_PrefixAfterRejectedDrafts_IsCachedByWhatWasAccepted()
    {
        int[] prompt = Harness.Prompt(10);
        await using var harness = new Harness(drafts: new DelegateDrafts(MaxDrafts, tokens => [7, 8, 9, 10]));
        List<int> answer = await harness.Tokens(Harness.Greedy(prompt, 20));
        int[] next = [.. prompt, .. answer, 1, 2, 3];

        List<GenerationEvent> events = await harness.Run(Harness.Greedy(next, 5));

        // 29 of the 30 positions were computed for good: the last token was drawn and never run.
        Assert.Equal(28, events[0].CachedTokens);
        Assert.Equal(harness.Expected(next, 5), Harness.TokensOf(events));
    }

    [Theory]
    [InlineData("went", true)]
    [InlineData("stopped", false)]
    public async Task Generate_DeviceThatDisagreesAboutADraft_EndsTheRequestAndSaysSo(string said, bool acceptsAnything)
    {
        // It goes on after a token that is not the draft; or it stops at each token, where the draft was right.
        int[] prompt = Harness.Prompt(6);
        int[] truth = [.. prompt, .. PureModel.Greedy(prompt, 30, Vocabulary)];
        FakeDeviceExecutor executor = new(FakeExecutor.Limits()) { MaxDrafts = MaxDrafts, AcceptsAnything = acceptsAnything, AcceptsNothing = !acceptsAnything };
        await using var harness = new Harness(executor: executor, drafts: new DelegateDrafts(
            MaxDrafts, tokens => truth.Skip(tokens.Length).Select(token => acceptsAnything ? (token + 1) % Vocabulary : token)));

        List<GenerationEvent> events = await harness.Run(Harness.Greedy(prompt, 30));

        Assert.Equal(FinishReason.Error, events[^1].FinishReason);
        Assert.Contains(said, events[^1].Error, StringComparison.Ordinal);
        await harness.UntilIdle();
        Assert.Empty(harness.Warnings);
    }

    private static Harness Create(bool device, Func<int[], IEnumerable<int>> drafts)
    {
        ExecutorInfo info = FakeExecutor.Limits(vocabulary: Vocabulary, depth: device ? 2 : 1, length: 64);
        var counting = new DelegateSampler("counting", static (ref SamplingRow row) => (row.Scratch[0]++ * 7) % Vocabulary, SamplerNeeds.Scratch);
        var looking = new DelegateSampler("looking", static (ref SamplingRow row) => (row.Tail[^1] + row.Tail.Length + row.TokenCounts[row.Tail[^1]]) % Vocabulary, SamplerNeeds.Tail | SamplerNeeds.TokenCounts);
        return new Harness(
            executor: device ? new FakeDeviceExecutor(info) { MaxDrafts = MaxDrafts } : new FakeExecutor(info),
            samplers: [counting, looking], drafts: new DelegateDrafts(MaxDrafts, drafts));
    }

    private static GenerationRequest Request(string kind)
    {
        int[] prompt = Harness.Prompt(6);
        List<int> greedy = PureModel.Greedy(prompt, 30, Vocabulary);
        GenerationRequest plain = Harness.Greedy(prompt, 31);
        SamplingOptions sampled = new() { Temperature = 1.2f, Seed = 9 };
        return kind switch
        {
            "sampled" => plain with { Sampling = sampled },
            "penalties" => plain with { Sampling = sampled with { RepetitionPenalty = 1.6f, FrequencyPenalty = 0.7f, PresencePenalty = 0.4f } },
            "bad words" => plain with { Sampling = SamplingOptions.Greedy with { BadWords = [[greedy[2]], [greedy[0], greedy[1]], [greedy[3], greedy[4], greedy[5]]] } },
            "bias" => plain with { Sampling = sampled with { LogitBias = new Dictionary<int, float> { [3] = 4, [5] = -100 } } },
            "min tokens" => plain with { Sampling = SamplingOptions.Greedy with { MinTokens = 9 }, EndTokens = [greedy[1], greedy[4], greedy[12]] },
            "stop" => plain with { StopTokens = [greedy[7]] },
            "end" => plain with { EndTokens = [greedy[13]] },
            "max tokens" => plain with { MaxTokens = 9 },
            "one token" => plain with { MaxTokens = 1 },
            "model length" => plain with { MaxTokens = 1000 },
            "scratch" => plain with { Sampling = new SamplingOptions { Sampler = "counting" } },
            "tail" => plain with { Sampling = new SamplingOptions { Sampler = "looking" } },
            "logprobs" => plain with { Sampling = sampled, Logprobs = 3 },
            "prompt logprobs" => plain with { PromptLogprobs = 2 },
            _ => plain,
        };
    }

    private static IEnumerable<int> Drafts(string source, int[] truth, int[] tokens)
    {
        IEnumerable<int> rest = truth.Skip(tokens.Length);
        return source switch
        {
            "right" => rest,
            "wrong" => rest.Select(token => (token + 1) % Vocabulary),
            "half" => rest.Select((token, i) => i < 2 ? token : (token + 1) % Vocabulary),
            "foreign" => rest.Select((token, i) => i < 1 ? token : i < 2 ? Vocabulary : -1),
            "mixed" => rest.Take(tokens.Length % 5).Select((token, i) => (tokens.Length + i) % 3 == 0 ? 0 : token),
            _ => [],
        };
    }

    private static (int Token, FinishReason Reason, int? Stop, string Logprobs, string? Error) Told(GenerationEvent e) =>
        (e.Token, e.FinishReason, e.StopToken, Told([e.Logprobs]), e.Error);

    private static string Told(IReadOnlyList<TokenLogprobs?>? logprobs) =>
        string.Join(';', (logprobs ?? []).Select(l => l is null ? "-" : $"{l.Token} {l.Logprob:R} {l.Rank} {string.Join(',', l.Top)}"));
}
