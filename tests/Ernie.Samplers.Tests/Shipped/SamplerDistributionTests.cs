using Ernie.Sampling;
using Ernie.Testing.Contracts;

namespace Ernie.Samplers.Tests.Shipped;

public class SamplerDistributionTests
{
    private const int Draws = 12_000;
    private const int Vocabulary = 300;

    public static TheoryData<float, int, float, float> Limits => new()
    {
        { 1f, 0, 1f, 0f },
        { 0.7f, 1, 1f, 0f },
        { 1f, 2, 1f, 0f },
        { 1.3f, 17, 1f, 0f },
        { 1f, 299, 1f, 0f },
        { 1f, 5000, 1f, 0f },
        { 1f, 0, 0.01f, 0f },
        { 1f, 0, 0.5f, 0f },
        { 0.8f, 0, 0.95f, 0f },
        { 1f, 0, 0.9999f, 0f },
        { 1f, 0, 1f, 0.05f },
        { 1f, 0, 1f, 1f },
        { 1f, 40, 0.8f, 0f },
        { 1.5f, 40, 0.8f, 0.1f },
        { 2f, 100, 0.9f, 0.3f },
    };

    [Theory]
    [MemberData(nameof(Limits))]
    public void Rejection_AnyLimits_DrawsFromTheirIntersection(float temperature, int topK, float topP, float minP)
    {
        var options = new SamplingOptions { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP };
        float[] logits = Oracle.Logits(Vocabulary, seed: 1);
        double[] expected = ReferenceDistribution.Limit(ReferenceDistribution.Softmax(logits, temperature), topK, topP, minP);

        AssertDraws("rejection", options, logits, expected);
    }

    [Fact]
    public void Rejection_EqualLogits_KeepsTheLowestIds()
    {
        float[] logits = new float[100];
        double[] expected = [.. Enumerable.Range(0, 100).Select(token => token < 7 ? 1.0 / 7 : 0)];

        AssertDraws("rejection", new SamplingOptions { TopK = 7 }, logits, expected);
        AssertDraws("rejection", new SamplingOptions { TopP = 0.065f }, logits, expected);
        AssertDraws("rejection", new SamplingOptions { TopK = 14, TopP = 0.45f }, logits, expected);
    }

    [Theory]
    [InlineData(0f, 0.1f)]
    [InlineData(0.02f, 0.02f)]
    public void MinP_NamedOrNot_KeepsTheShareOfTheLargest(float given, float used)
    {
        float[] logits = Oracle.Logits(Vocabulary, seed: 2);
        double[] expected = ReferenceDistribution.Limit(ReferenceDistribution.Softmax(logits, 1.2), topK: 50, topP: 0.97f, minP: used);

        AssertDraws("min-p", new SamplingOptions { Temperature = 1.2f, TopK = 50, TopP = 0.97f, MinP = given }, logits, expected);
    }

    [Theory]
    [InlineData(0.001)]
    [InlineData(0.2)]
    [InlineData(0.5)]
    [InlineData(0.95)]
    [InlineData(1.0)]
    public void Typical_AnyMass_KeepsTheTokensNearestToTheEntropy(double mass)
    {
        float[] logits = Oracle.Logits(Vocabulary, seed: 3);
        double[] p = ReferenceDistribution.Softmax(logits, 1);
        double[] expected = ReferenceDistribution.Limit(Oracle.Typical(p, (float)mass), topP: 0.9f);

        AssertDraws("typical", With("typical_p", mass) with { TopP = 0.9f }, logits, expected);
    }

    [Fact]
    public void Typical_EqualLogits_KeepsTheLowestIds()
    {
        double[] expected = [.. Enumerable.Range(0, 20).Select(token => token < 5 ? 0.2 : 0)];

        AssertDraws("typical", With("typical_p", 0.249), new float[20], expected);
    }

    [Theory]
    [InlineData(1e-4)]
    [InlineData(0.01)]
    [InlineData(0.9)]
    public void EpsilonCutoff_AnyCutoff_KeepsTokensOfThatProbability(double cutoff)
    {
        float[] logits = Oracle.Logits(Vocabulary, seed: 4);
        double[] expected = ReferenceDistribution.Limit(Oracle.AtLeast(ReferenceDistribution.Softmax(logits, 1), cutoff), topK: 60);

        AssertDraws("epsilon-cutoff", With("epsilon_cutoff", cutoff) with { TopK = 60 }, logits, expected);
    }

    [Theory]
    [InlineData(1e-4)]
    [InlineData(0.01)]
    [InlineData(0.9)]
    public void EtaCutoff_AnyCutoff_FollowsTheEntropy(double cutoff)
    {
        float[] logits = Oracle.Logits(Vocabulary, seed: 5);
        double[] p = ReferenceDistribution.Softmax(logits, 1.1);
        double eta = Math.Min(cutoff, Math.Sqrt(cutoff) * Math.Exp(-Oracle.Entropy(p)));

        AssertDraws("eta-cutoff", With("eta_cutoff", cutoff) with { Temperature = 1.1f }, logits, Oracle.AtLeast(p, eta));
    }

    [Theory]
    [InlineData(0.3, 1f)]
    [InlineData(1.0, 2f)]
    [InlineData(2.5, 0.5f)]
    [InlineData(100, 1f)]
    public void TopNSigma_AnyTemperature_KeepsTheSameTokens(double deviations, float temperature)
    {
        float[] logits = Oracle.Logits(Vocabulary, seed: 6);
        double[] expected = ReferenceDistribution.Limit(Oracle.TopNSigma(logits, deviations, temperature), minP: 0.01f);

        AssertDraws("top-n-sigma", With("top_n_sigma", deviations) with { Temperature = temperature, MinP = 0.01f }, logits, expected);
    }

    [Theory]
    [InlineData(0.0, 0.02)]
    [InlineData(0.4, 0.02)]
    [InlineData(1.0, 0.02)]
    [InlineData(1.0, 0.0)]
    [InlineData(1.0, 0.6)]
    public void Xtc_AnyProbability_MixesTheCutAndTheUncutDistribution(double probability, double threshold)
    {
        float[] logits = Oracle.Logits(Vocabulary, seed: 7);
        double[] p = ReferenceDistribution.Limit(ReferenceDistribution.Softmax(logits, 1), topK: 80, topP: 0.95f, minP: 0.02f);
        double[] cut = Oracle.WithoutTopChoices(p, threshold);
        double[] expected = [.. p.Zip(cut, (uncut, without) => ((1 - probability) * uncut) + (probability * without))];
        SamplingOptions options = With("xtc_probability", probability, "xtc_threshold", threshold)
            with { TopK = 80, TopP = 0.95f, MinP = 0.02f };

        AssertDraws("xtc", options, logits, expected);
    }

    [Fact]
    public void Mirostat_FirstDraw_CutsAtTwiceTheTarget()
    {
        float[] logits = Oracle.Logits(Vocabulary, seed: 8);
        double[] p = ReferenceDistribution.Softmax(logits, 1);
        double[] expected = Oracle.AtLeast(p, Math.Pow(2, -2 * 3.1));

        AssertDraws("mirostat-2", With("mirostat_tau", 3.1), logits, expected);
    }

    [Theory]
    [InlineData(3.5)]
    [InlineData(4.0)]
    public void Mirostat_LongText_HoldsTheSurprise(double target)
    {
        float[] logits = Oracle.Logits(Vocabulary, seed: 9);
        double[] p = ReferenceDistribution.Softmax(logits, 0.7);
        var harness = new SamplerHarness("mirostat-2", With("mirostat_tau", target) with { Temperature = 0.7f }, Vocabulary);
        double surprise = 0;

        for (int position = 0; position < 4000; position++)
        {
            surprise -= Math.Log2(p[harness.Draw(logits, seed: 11, position)]) / 4000;
        }

        // The bound moves by a tenth of each error, so the mean error of n draws is of order (bound's range)/(0.1·n).
        Assert.InRange(surprise, target - 0.05, target + 0.05);
    }

    [Fact]
    public void Dry_NoRepetition_DrawsAsRejectionDoes()
    {
        float[] logits = Oracle.Logits(Vocabulary, seed: 10);
        double[] expected = ReferenceDistribution.Limit(ReferenceDistribution.Softmax(logits, 0.9), topK: 30, topP: 0.9f);

        AssertDraws("dry", new SamplingOptions { Temperature = 0.9f, TopK = 30, TopP = 0.9f }, logits, expected);
    }

    private static SamplingOptions With(string name, double value, string? other = null, double otherValue = 0)
    {
        var extra = new Dictionary<string, double> { [name] = value };
        if (other is not null)
        {
            extra[other] = otherValue;
        }

        return new SamplingOptions { Extra = extra };
    }

    private static void AssertDraws(string name, SamplingOptions options, float[] logits, double[] expected)
    {
        int[] counts = new SamplerHarness(name, options, logits.Length).Count(logits, Draws, seed: 2026);

        ChiSquare.AssertDrawnFrom(expected, counts, $"{name}, seed 2026");
    }
}
