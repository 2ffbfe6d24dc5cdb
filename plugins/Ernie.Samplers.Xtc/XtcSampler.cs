using Ernie.Sampling;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Xtc;

/// <summary>
/// Exclude top choices: after temperature, min_p, top_k and top_p, with probability <c>xtc_probability</c>, removes every token
/// of at least probability <c>xtc_threshold</c> but the least probable of them. Parameters: <c>xtc_probability</c> in [0, 1],
/// default 0.5; <c>xtc_threshold</c> in [0, 1], default 0.1 (above 0.5 no two tokens can pass it, which turns it off).
/// </summary>
/// <remarks>
/// Source: P. E. Weidmann, "Exclude Top Choices (XTC)", text-generation-webui pull request 6335 (2024). End tokens are not
/// exempt: a sampler does not know which they are.
/// </remarks>
public sealed class XtcSampler : Sampler<XtcParameters>
{
    /// <inheritdoc/>
    public override string Name => "xtc";

    /// <inheritdoc/>
    public override DeviceSnippet? Device { get; } = DeviceSnippet.FromResource(typeof(XtcSampler), "XtcSampler", "xtc_sampler.cuh");

    /// <inheritdoc/>
    protected override XtcParameters CreateParameters(SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new XtcParameters
        {
            Limits = Truncation.From(options),
            Probability = ExtraParameter.Read(options, "xtc_probability", fallback: 0.5, minimum: 0, maximum: 1),
            Threshold = ExtraParameter.Read(options, "xtc_threshold", fallback: 0.1, minimum: 0, maximum: 1),
        };
    }

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in XtcParameters parameters)
    {
        if (parameters.Limits.IsGreedy)
        {
            return TokenWeights.ArgMax(row.Logits);
        }

        double total = TokenWeights.Exponentiate(row.Logits, parameters.Limits.InverseTemperature);
        total = Selection.Limit(row.Logits, total, parameters.Limits);

        // Drawn whether or not it is needed: the token's number then does not depend on the parameters.
        bool isExcluding = TruncatedDraw.Uniform(ref row.Random) <= parameters.Probability;
        if (isExcluding)
        {
            total = ExcludeTopChoices(row.Logits, (float)(parameters.Threshold * total), total);
        }

        return TruncatedDraw.DrawAny(row.Logits, total, ref row.Random);
    }

    private static double ExcludeTopChoices(Span<float> weights, float floor, double total)
    {
        // A floor of 0 makes every token with a weight a top choice.
        float belowFloor = floor > 0 ? MathF.BitDecrement(floor) : 0;
        Tally topChoices = TokenWeights.Above(weights, belowFloor);
        if (topChoices.Count < 2)
        {
            return total;
        }

        int least = -1;
        for (int token = 0; token < weights.Length; token++)
        {
            // On a tie the higher id ranks lower, so it is the one that stays.
            if (weights[token] > belowFloor && (least < 0 || weights[token] <= weights[least]))
            {
                least = token;
            }
        }

        float kept = weights[least];
        foreach (ref float weight in weights)
        {
            weight = weight > belowFloor ? 0 : weight;
        }

        weights[least] = kept;
        return TokenWeights.Above(weights, 0).Mass;
    }
}
