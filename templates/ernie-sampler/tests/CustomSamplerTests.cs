using Ernie.Sampling;
using Ernie.Testing.Contracts;

namespace Ernie.Template.Tests;

/// <summary>The contract tests compare what is drawn with this distribution, computed the slow way in f64.</summary>
public class CustomSamplerTests : SamplerContract
{
    protected override IReadOnlyList<SamplingOptions> Settings =>
        [new(), With(0), With(0.05) with { Temperature = 0.7f }, With(1), SamplingOptions.Greedy];

    protected override ISampler Create() => new CustomSampler();

    protected override double[] Distribution(ReadOnlySpan<float> logits, SamplingOptions options)
    {
        float[] row = logits.ToArray();
        if (options.IsGreedy)
        {
            int best = Array.IndexOf(row, row.Max());
            return [.. row.Select((_, token) => token == best ? 1.0 : 0.0)];
        }

        double topA = options.Extra?["top_a"] ?? 0.2;
        double[] p = Normalise([.. row.Select(logit => Math.Exp(logit / options.Temperature))]);
        double floor = topA * p.Max() * p.Max();
        return Normalise([.. p.Select(x => x >= floor ? x : 0)]);
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

    private static double[] Normalise(double[] weights) => [.. weights.Select(weight => weight / weights.Sum())];
}
