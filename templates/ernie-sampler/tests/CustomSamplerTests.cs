using Ernie.Sampling;
using Ernie.Testing.Contracts;

namespace Ernie.Template.Tests;

/// <summary>The contract tests compare what is drawn with this distribution, computed the slow way in f64.</summary>
public class CustomSamplerTests : SamplerContract
{
    protected override IReadOnlyList<SamplingOptions> Settings =>
    [
        new(), With(0), With(0.05) with { Temperature = 0.7f }, With(1), SamplingOptions.Greedy,
        With(0.1) with { TopK = 3 }, With(0.1) with { TopP = 0.5f }, With(0.1) with { MinP = 0.3f },
    ];

    protected override ISampler Create() => new CustomSampler();

    protected override double[] Distribution(ReadOnlySpan<float> logits, SamplingOptions options)
    {
        if (options.IsGreedy)
        {
            return ReferenceDistribution.Greedy(logits);
        }

        double topA = options.Extra?["top_a"] ?? 0.2;
        double[] p = ReferenceDistribution.Softmax(logits.ToArray(), options.Temperature);
        double floor = topA * p.Max() * p.Max();
        return ReferenceDistribution.Limit([.. p.Select(x => x >= floor ? x : 0)], options);
    }

    [Theory]
    [InlineData(-0.001, false)]
    [InlineData(0.0, true)]
    [InlineData(1.0, true)]
    [InlineData(1.001, false)]
    [InlineData(double.NaN, false)]
    public void WriteParameters_TopAAtItsLimits_IsTakenOrNamed(double topA, bool isTaken)
    {
        ISampler sampler = Create();

        Exception? thrown = Record.Exception(() => sampler.WriteParameters(With(topA), new byte[sampler.ParameterBytes]));

        Assert.Equal(isTaken ? null : "top_a", (thrown as ArgumentException)?.ParamName);
    }

    private static SamplingOptions With(double topA) =>
        new() { Extra = new Dictionary<string, double> { ["top_a"] = topA } };
}
