using Ernie.Engine.Sampling;
using Ernie.Engine.Tests.Fakes;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Tests;

public sealed class LogprobViewTests
{
    [Theory]
    [InlineData(1, 0.1f)]
    [InlineData(7, 0.5f)]
    [InlineData(8, 0.9f)]
    [InlineData(9, 0.999f)]
    [InlineData(37, 0.3f)]
    [InlineData(1000, 0.7f)]
    [InlineData(1000, 0f)]
    public void TopP_KeepsWhatSortingKeeps(int length, float topP)
    {
        float[] logits = Random(length);
        float[] seen = (float[])logits.Clone();

        LogprobView.Apply(Request(new SamplingOptions { TopP = topP }, normalized: true), seen);

        double[] p = Softmax(logits);
        int[] order = [.. Enumerable.Range(0, length).OrderByDescending(token => p[token])];
        int kept = 1;
        for (double mass = p[order[0]]; mass < topP && kept < length; kept++)
            mass += p[order[kept]];
        Assert.Equal(order.Take(kept).Order(), Enumerable.Range(0, length).Where(token => seen[token] > float.NegativeInfinity));
        Assert.All(order.Take(kept), token => Assert.Equal(logits[token], seen[token]));
    }

    [Fact]
    public void TopP_OfOne_KeepsAll()
    {
        float[] seen = Random(37);
        float[] before = (float[])seen.Clone();

        LogprobView.Apply(Request(new SamplingOptions(), normalized: true), seen);

        Assert.Equal(before, seen);
    }

    [Fact]
    public void Temperature_DividesUnlessGreedy()
    {
        float[] logits = Random(37), scaled = (float[])logits.Clone(), greedy = (float[])logits.Clone();

        LogprobView.Apply(Request(new SamplingOptions { Temperature = 0.5f }, scaled: true), scaled);
        LogprobView.Apply(Request(SamplingOptions.Greedy, scaled: true), greedy);

        Assert.Equal(logits.Select(logit => logit * 2), scaled);
        Assert.Equal(logits, greedy);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NamedTokens_ComeInPlaceOfTheMostProbable(bool device)
    {
        await using var harness = new Harness(FakeExecutor.Limits(depth: device ? 2 : 1), device: device);

        List<GenerationEvent> plain = await harness.Run(Harness.Greedy(Harness.Prompt(5), 3) with { Logprobs = 20 });
        int[] named = [plain[0].Logprobs!.Top[4].Token, plain[0].Token, plain[0].Logprobs!.Top[4].Token];
        List<GenerationEvent> events = await harness.Run(Harness.Greedy(Harness.Prompt(5), 3) with { Logprobs = 0, LogprobTokens = named });

        Assert.All(events.Where(step => step.Token >= 0), step => Assert.Equal(named, step.Logprobs!.Top.Select(top => top.Token)));
        Assert.Equal(plain[0].Logprobs!.Top[4].Logprob, events[0].Logprobs!.Top[0].Logprob, 1e-5f);
        Assert.Equal(events[0].Logprobs!.Logprob, events[0].Logprobs!.Top[1].Logprob, 1e-5f);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AllowedTokens_AreTheOnlyOnesDrawn(bool device)
    {
        await using var harness = new Harness(FakeExecutor.Limits(depth: device ? 2 : 1), device: device);

        List<int> tokens = await harness.Tokens(Harness.Greedy(Harness.Prompt(5), 20) with { Sampling = new SamplingOptions { Temperature = 0, AllowedTokens = [7, 11, 7] } });

        Assert.Equal(20, tokens.Count);
        Assert.All(tokens, token => Assert.Contains(token, (int[])[7, 11]));
    }

    private static GenerationRequest Request(SamplingOptions sampling, bool scaled = false, bool normalized = false) => new()
    {
        PromptTokens = [1], MaxTokens = 1, Logprobs = 0, Sampling = sampling, TemperatureScaledLogprobs = scaled, TopPNormalizedLogprobs = normalized,
    };

    private static double[] Softmax(float[] logits)
    {
        double sum = logits.Sum(logit => Math.Exp(logit));
        return [.. logits.Select(logit => Math.Exp(logit) / sum)];
    }

    private static float[] Random(int length)
    {
        var random = new Random(length);
        return [.. Enumerable.Range(0, length).Select(_ => (random.NextSingle() * 10) - 5)];
    }
}
