using Ernie.Sampling;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.TopNSigma;

/// <summary>
/// Top-nσ: keeps tokens whose logit lies within <c>top_n_sigma</c> standard deviations of the largest, a set that does not
/// depend on the temperature; then temperature, min_p, top_k and top_p. Parameters: <c>top_n_sigma</c> in (0, 100], default 1.
/// </summary>
/// <remarks>
/// Source: Tang et al., "Top-nσ: Not All Logits Are You Need", arXiv:2411.07641. σ is over the tokens that are not masked.
/// </remarks>
public sealed class TopNSigmaSampler : Sampler<TopNSigmaParameters>
{
    /// <inheritdoc/>
    public override string Name => "top-n-sigma";

    /// <inheritdoc/>
    public override DeviceSnippet? Device { get; } = DeviceSnippet.FromResource(typeof(TopNSigmaSampler), "TopNSigmaSampler", "top_n_sigma_sampler.cuh");

    /// <inheritdoc/>
    protected override TopNSigmaParameters CreateParameters(SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new TopNSigmaParameters
        {
            Limits = Truncation.From(options),
            Deviations = ExtraParameter.Read(
                options, "top_n_sigma", fallback: 1, minimum: 0, maximum: 100, minimumIsOpen: true),
        };
    }

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in TopNSigmaParameters parameters)
    {
        if (parameters.Limits.IsGreedy)
        {
            return TokenWeights.ArgMax(row.Logits);
        }

        // Weights are relative to the largest: a distance in logits is a ratio of weights.
        double distance = parameters.Deviations * StandardDeviation(row.Logits);
        TokenWeights.Exponentiate(row.Logits, parameters.Limits.InverseTemperature);
        float floor = (float)Math.Exp(-distance * parameters.Limits.InverseTemperature);
        double total = TokenWeights.ZeroBelow(row.Logits, floor);
        return Selection.Draw(row.Logits, total, parameters.Limits, ref row.Random);
    }

    private static double StandardDeviation(ReadOnlySpan<float> logits)
    {
        float shift = TokenWeights.Maximum(logits);
        if (!float.IsFinite(shift))
        {
            return 0;
        }

        double sum = 0, squares = 0;
        int count = 0;
        foreach (float logit in logits)
        {
            // Differences from the largest keep the squares small; masked tokens are −∞.
            double difference = (double)logit - shift;
            if (double.IsFinite(difference))
            {
                sum += difference;
                squares += difference * difference;
                count++;
            }
        }

        double mean = sum / count;
        return Math.Sqrt(Math.Max(0, (squares / count) - (mean * mean)));
    }
}
