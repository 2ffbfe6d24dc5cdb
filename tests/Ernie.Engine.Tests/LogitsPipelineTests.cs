using Ernie.Engine.Sampling;
using Ernie.Engine.Sequences;
using Ernie.Engine.Streaming;
using Ernie.Engine.Tests.Fakes;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Tests;

public sealed class LogitsPipelineTests
{
    private const int Vocabulary = 37;

    private static float[] Random(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Vocabulary).Select(_ => (random.NextSingle() * 10) - 5)];
    }

    /// <summary>What the sampler gets to see, for a prompt 1 2 3 and an output 3 4 4.</summary>
    private static float[] Process(float[] logits, SamplingOptions options, int[]? stops = null)
    {
        float[] seen = [];
        var sampler = new DelegateSampler("spy", (ref SamplingRow row) =>
        {
            seen = row.Logits.ToArray();
            return 0;
        });
        Draw(logits, options, sampler, LogprobsMode.RawLogprobs, [], [], stops);
        return seen;
    }

    private static TokenDraw Draw(
        float[] logits, SamplingOptions options, ISampler sampler, LogprobsMode mode, int[] topTokens, float[] topLogprobs, int[]? stops = null)
    {
        int[] sequenceTokens = [1, 2, 3, 3, 4, 4];
        var request = new GenerationRequest { PromptTokens = sequenceTokens[..3], MaxTokens = 10, Sampling = options, Logprobs = topTokens.Length > 0 ? topTokens.Length : null };
        var checkedRequest = new SequenceRequest
        {
            Original = request,
            Prompt = sequenceTokens[..3],
            MaxLength = 13,
            Sampler = sampler,
            Parameters = [],
            Seed = 0,
            Salt = 0,
            StopTokens = stops ?? [],
            Allowed = options.AllowedTokens is { } allowed ? [.. allowed.Order()] : null,
            Processors = LogitsProcessors.CreateStates(LogitsProcessors.Standard, new ProcessorRequest { Options = options, StopTokens = stops ?? [] }),
            KeepsHistory = true,
            SampledOnDevice = false,
            PromptLogprobsOnDevice = false,
            MaxDrafts = 0,
        };
        var sequence = new Sequence(checkedRequest, new GenerationStream(new PromptResults(request, sequenceTokens[..3], 1), null, () => { }, default), submittedAt: 0);
        sequence.Progress.Length = sequenceTokens.Length;
        using var history = new TokenHistory(Vocabulary);
        history.Fill(sequenceTokens, 3);
        return new LogitsPipeline(Vocabulary, new LogprobScale(mode)).Draw(sequence, sequenceTokens, history, (float[])logits.Clone(), topTokens, topLogprobs);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Penalties_OfEveryKind_FollowTheFormula(int seed)
    {
        float[] logits = Random(seed);

        float[] seen = Process(logits, new SamplingOptions { RepetitionPenalty = 1.5f, FrequencyPenalty = 0.25f, PresencePenalty = 0.5f });

        for (int token = 0; token < Vocabulary; token++)
        {
            bool isSeen = token is >= 1 and <= 4;
            int count = token switch { 3 => 1, 4 => 2, _ => 0 };
            float expected = !isSeen ? logits[token] : logits[token] > 0 ? logits[token] / 1.5f : logits[token] * 1.5f;
            expected -= (0.25f * count) + (count > 0 ? 0.5f : 0);
            Assert.Equal(expected, seen[token], 1e-5f);
        }
    }

    [Fact]
    public void Bias_IsAddedAndBansAtMinusHundred()
    {
        float[] logits = Random(3);

        float[] seen = Process(logits, new SamplingOptions { LogitBias = new Dictionary<int, float> { [5] = 2, [6] = -99, [7] = -100 } });

        Assert.Equal(logits[5] + 2, seen[5]);
        Assert.Equal(logits[6] - 99, seen[6]);
        Assert.Equal(float.NegativeInfinity, seen[7]);
        Assert.Equal(logits[8], seen[8]);
    }

    [Fact]
    public void Bias_OfHundred_LeavesTheForcedAlone()
    {
        float[] seen = Process(Random(3), new SamplingOptions { LogitBias = new Dictionary<int, float> { [30] = 100, [9] = 100, [5] = 99 } });

        Assert.Equal([9, 30], Enumerable.Range(0, Vocabulary).Where(t => seen[t] > float.NegativeInfinity));
    }

    [Fact]
    public void AllowedTokens_AreAllThatIsLeft()
    {
        float[] logits = Random(3);

        float[] seen = Process(logits, new SamplingOptions { AllowedTokens = [36, 0, 9], LogitBias = new Dictionary<int, float> { [9] = 2 } });

        Assert.Equal([0, 9, 36], Enumerable.Range(0, Vocabulary).Where(t => seen[t] > float.NegativeInfinity));
        Assert.Equal((logits[0], logits[9] + 2, logits[36]), (seen[0], seen[9], seen[36]));
    }

    [Fact]
    public void AllowedTokens_ThatBadWordsMask_EndTheRequestInsteadOfDrawingAnother() =>
        Assert.Throws<InvalidOperationException>(() => Process(Random(3), new SamplingOptions { AllowedTokens = [20], BadWords = [[20]] }));

    [Theory]
    [InlineData(3, false)]
    [InlineData(4, true)]
    public void MinTokens_MasksStopsUntilThen(int minTokens, bool isMasked)
    {
        float[] seen = Process(Random(4), new SamplingOptions { MinTokens = minTokens }, stops: [11, 12]);

        Assert.Equal(isMasked, float.IsNegativeInfinity(seen[11]) && float.IsNegativeInfinity(seen[12]));
        Assert.False(float.IsNegativeInfinity(seen[13]));
    }

    [Fact]
    public void BadWords_AreKeptFromBeingCompletedInTheOutput()
    {
        // The output is 3 4 4: [20] is always bad, [4, 21] and [3, 4, 4, 22] are about to be completed; the others are not.
        float[] seen = Process(Random(5), new SamplingOptions { BadWords = [[20], [4, 21], [3, 4, 4, 22], [3, 23], [2, 3, 3, 4, 4, 24], []] });

        Assert.Equal([20, 21, 22], Enumerable.Range(0, Vocabulary).Where(t => float.IsNegativeInfinity(seen[t])));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(37)]
    public void Rank_OfARow_AgreesWithSorting(int top)
    {
        float[] logits = Random(6);
        logits[9] = logits[4];
        int[] order = [.. Enumerable.Range(0, Vocabulary).OrderByDescending(i => logits[i]).ThenBy(i => i)];
        var tokens = new int[top];
        var values = new float[top];
        double normalizer = Math.Log(logits.Sum(l => Math.Exp(l)));

        (float logprob, int rank) = new LogitsPipeline(Vocabulary, new LogprobScale(LogprobsMode.RawLogprobs)).Rank(logits, order[7], tokens, values);

        Assert.Equal(order.Take(top), tokens);
        Assert.All(Enumerable.Range(0, top), i => Assert.Equal(logits[order[i]] - normalizer, values[i], 1e-5));
        Assert.Equal(logits[order[7]] - normalizer, logprob, 1e-5);
        Assert.Equal(1 + logits.Count(l => l > logits[order[7]]), rank);
    }

    [Theory]
    [InlineData(LogprobsMode.RawLogprobs)]
    [InlineData(LogprobsMode.RawLogits)]
    [InlineData(LogprobsMode.ProcessedLogprobs)]
    [InlineData(LogprobsMode.ProcessedLogits)]
    public void Draw_WithAMode_TellsOfThoseLogits(LogprobsMode mode)
    {
        float[] raw = Random(8);
        var options = new SamplingOptions { LogitBias = new Dictionary<int, float> { [5] = 3, [6] = -100 } };
        float[] processed = Process(raw, options);
        float[] row = mode is LogprobsMode.RawLogits or LogprobsMode.RawLogprobs ? raw : processed;
        double normalizer = mode is LogprobsMode.RawLogits or LogprobsMode.ProcessedLogits ? 0 : Math.Log(row.Sum(l => Math.Exp(l)));
        int[] order = [.. Enumerable.Range(0, Vocabulary).OrderByDescending(i => row[i]).ThenBy(i => i)];
        var tokens = new int[Vocabulary];
        var values = new float[Vocabulary];

        TokenDraw draw = Draw(raw, options, new DelegateSampler("fifth", (ref SamplingRow _) => 5), mode, tokens, values);

        Assert.Equal(5, draw.Token);
        Assert.Equal(row[5] - normalizer, draw.Logprob, 1e-5);
        Assert.Equal(1 + row.Count(l => l > row[5]), draw.Rank);
        Assert.Equal(order, tokens);
        Assert.All(Enumerable.Range(0, Vocabulary), i => Assert.Equal(row[order[i]] - normalizer, values[i], 1e-5));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(1000)]
    public void Passes_AroundVectorEdges_AgreeWithScalars(int length)
    {
        var random = new Random(length);
        float[] values = [.. Enumerable.Range(0, length).Select(_ => (random.NextSingle() * 20) - 10)];

        Assert.Equal(values.DefaultIfEmpty(float.NegativeInfinity).Max(), LogitVector.Max(values));
        Assert.Equal(values.Count(v => v > 1), LogitVector.CountGreater(values, 1));
        if (length > 0)
        {
            Assert.Equal(Math.Log(values.Sum(v => Math.Exp(v))), LogitVector.LogSumExp(values), 1e-4);
        }
    }
}
