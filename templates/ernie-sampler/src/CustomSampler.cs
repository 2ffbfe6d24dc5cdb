using Ernie.Sampling;

namespace Ernie.Template;

/// <summary>
/// An example to replace: top-a, which keeps tokens of probability at least <c>top_a</c> · (largest probability)². Requests set
/// <c>top_a</c>, in [0, 1]; 0.2 when they do not.
/// </summary>
public sealed class CustomSampler : Sampler<CustomSamplerParameters>
{
    /// <inheritdoc/>
    public override string Name => "top-a-sampler-name";

    /// <inheritdoc/>
    public override DeviceSnippet? Device { get; } = DeviceSnippet.FromResource(typeof(CustomSampler), "CustomSampler", "custom_sampler.cuh");

    /// <inheritdoc/>
    protected override CustomSamplerParameters CreateParameters(SamplingOptions options)
    {
        // Once per request. An ArgumentException becomes a 400 that names the field.
        double topA = options.Extra is not null && options.Extra.TryGetValue("top_a", out double given) ? given : 0.2;
        if (!(topA >= 0 && topA <= 1))
        {
            throw new ArgumentException($"'top_a' is {topA} and must be in [0, 1]", "top_a");
        }

        return new CustomSamplerParameters
        {
            InverseTemperature = options.IsGreedy ? 0 : 1 / options.Temperature,
            TopA = (float)topA,
        };
    }

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in CustomSamplerParameters parameters)
    {
        // Once per token, on the engine's thread: allocate nothing. The row may be overwritten.
        Span<float> logits = row.Logits;
        int best = 0;
        for (int token = 1; token < logits.Length; token++)
        {
            best = logits[token] > logits[best] ? token : best;
        }

        if (parameters.InverseTemperature == 0)
        {
            return best;
        }

        // Weights relative to the most probable token, so that its weight is 1 and its probability 1 / total.
        float largest = logits[best];
        double total = 0;
        foreach (ref float logit in logits)
        {
            logit = MathF.Exp((logit - largest) * parameters.InverseTemperature);
            total += logit;
        }

        // p ≥ a · pmax²  ⇔  weight ≥ a / total
        float floor = (float)(parameters.TopA / total);
        double kept = 0;
        foreach (ref float weight in logits)
        {
            weight = weight < floor ? 0 : weight;
            kept += weight;
        }

        // The row's own numbers: the same seed and position give the same token, in any batch.
        double target = (row.Random.NextUInt32() + 1.0) / 4294967296.0 * kept;
        for (int token = 0; token < logits.Length; token++)
        {
            target -= logits[token];
            if (target <= 0 && logits[token] > 0)
            {
                return token;
            }
        }

        return best;    // rounding left a hair of the target
    }
}
