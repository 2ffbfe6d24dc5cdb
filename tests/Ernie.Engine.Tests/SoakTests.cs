using Ernie.Engine.Tests.Fakes;
using Ernie.Execution;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Tests;

/// <summary>Thousands of random requests over few pages: every text must be the model's, and every page must come back.</summary>
public sealed class SoakTests
{
    private const int Vocabulary = 50;

    [Theory]
    [InlineData(11, 40, 1, false, true, 0)]
    [InlineData(12, 24, 1, false, true, 0)]
    [InlineData(13, 24, 1, false, false, 0)]
    [InlineData(14, 40, 2, true, true, 0)]
    [InlineData(15, 24, 2, true, true, 0)]
    [InlineData(16, 24, 3, true, true, 0)]
    [InlineData(17, 24, 2, true, false, 0)]
    [InlineData(18, 24, 1, false, true, 4)]
    [InlineData(19, 24, 1, false, false, 1)]
    [InlineData(20, 24, 2, true, true, 4)]
    [InlineData(21, 24, 3, true, true, 7)]
    [InlineData(22, 40, 2, false, true, 2)]
    public async Task Soak_RandomRequests_KeepTextsAndPages(int seed, int pages, int depth, bool device, bool cache, int drafts)
    {
        ExecutorInfo limits = FakeExecutor.Limits(pages: pages, sequences: 6, batchedTokens: 24, length: 80, depth: depth, copies: seed % 2 == 1);
        await using var harness = new Harness(
            cache: cache,
            executor: device ? new FakeDeviceExecutor(limits) { MaxDrafts = drafts } : new FakeExecutor(limits),
            drafts: drafts == 0 ? null : new GuessedDrafts(drafts, Vocabulary));
        var random = new Random(seed);
        int[][] prefixes = [.. Enumerable.Range(0, 5).Select(i => Harness.Prompt(random.Next(1, 40), seed + i))];
        var pending = new List<Task>();

        for (int i = 0; i < 1500; i++)
        {
            pending.Add(RunOne(harness, random, prefixes, i, seed));
            if (pending.Count >= 20)
            {
                Task done = await Task.WhenAny(pending);
                pending.Remove(done);
                await done;
            }
        }

        await Task.WhenAll(pending);
        EngineStatistics end = await harness.UntilIdle();
        Assert.Equal(pages, end.PagesFree + end.PagesEvictable);
        Assert.Empty(harness.Warnings);
        Assert.True(pages > 24 || end.Preemptions > 0, "the pool was to be small enough for preemptions");
        await harness.Engine.ResetPrefixCacheAsync();
        Assert.Equal(pages, harness.Engine.GetStatistics().PagesFree);
    }

    private static Task RunOne(Harness harness, Random random, int[][] prefixes, int number, int seed)
    {
        int[] prompt = [.. prefixes[random.Next(prefixes.Length)], .. Harness.Prompt(random.Next(0, 12), random.Next(20))];
        prompt = prompt.Length == 0 ? [1] : prompt;
        bool greedy = random.Next(3) > 0;
        var request = new GenerationRequest
        {
            PromptTokens = prompt,
            MaxTokens = random.Next(0, 30),
            ChoiceIndex = random.Next(3),
            CacheSalt = random.Next(3) switch { 0 => null, 1 => "a", _ => "b" },
            Priority = random.Next(10) == 0 ? random.Next(3) : 0,
            Logprobs = random.Next(6) == 0 ? 1 : null,
            PromptLogprobs = random.Next(12) == 0 ? 1 : null,
            Sampling = greedy ? SamplingOptions.Greedy : new SamplingOptions { Temperature = 1.3f, TopP = 0.95f, Seed = (ulong)number },
        };
        int cancelAfter = random.Next(5) == 0 ? random.Next(0, 12) : int.MaxValue;
        bool disposeEarly = random.Next(2) == 0;
        return Task.Run(() => Check(harness, request, cancelAfter, disposeEarly, $"seed {seed}, request {number}"));
    }

    private static async Task Check(Harness harness, GenerationRequest request, int cancelAfter, bool disposeEarly, string name)
    {
        var tokens = new List<int>();
        FinishReason reason = FinishReason.None;
        using var cancellation = new CancellationTokenSource();
        try
        {
            if (cancelAfter == 0)
            {
                await cancellation.CancelAsync();
            }

            await foreach (GenerationEvent e in harness.Engine.GenerateAsync(request, cancellation.Token))
            {
                if (e.Token >= 0)
                {
                    tokens.Add(e.Token);
                }

                reason = e.FinishReason;
                Assert.Null(e.Error);
                if (tokens.Count == cancelAfter && reason == FinishReason.None)
                {
                    if (disposeEarly)
                    {
                        break;
                    }

                    await cancellation.CancelAsync();
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
        }

        List<int> expected = Expected(request);
        bool whole = reason != FinishReason.None;
        Assert.True(
            whole ? expected.SequenceEqual(tokens) : expected.Take(tokens.Count).SequenceEqual(tokens),
            $"{name}: expected {string.Join(' ', expected)}, got {string.Join(' ', tokens)} ({reason})");
        Assert.True(whole || cancelAfter != int.MaxValue, name);
    }

    private static List<int> Expected(GenerationRequest request)
    {
        var sampler = new Samplers.Standard.StandardSampler();
        var parameters = new byte[sampler.ParameterBytes];
        sampler.WriteParameters(request.Sampling, parameters);
        var sequence = new List<int>(request.PromptTokens);
        int end = Math.Min(80, sequence.Count + request.MaxTokens);
        ulong hash = PureModel.Hash([.. sequence]);
        var logits = new float[Vocabulary];
        while (sequence.Count < end)
        {
            PureModel.Logits(hash, logits);
            var row = new SamplingRow
            {
                Logits = logits,
                Parameters = parameters,
                Random = new Philox(request.Sampling.Seed ?? 0, sequence.Count, (uint)request.ChoiceIndex),
            };
            int token = sampler.Sample(ref row);
            hash = PureModel.Hash(hash, token);
            sequence.Add(token);
        }

        return sequence[request.PromptTokens.Count..];
    }
}
