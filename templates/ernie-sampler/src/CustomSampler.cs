using Ernie.Sampling;
using Ernie.Sampling.Toolkit;

namespace Ernie.Template;

/// <summary>
/// An example to replace: top-a, which keeps tokens of probability at least <c>top_a</c> · (largest probability)². Requests set
/// <c>top_a</c>, in [0, 1]; 0.2 when they do not. min_p, top_k and top_p apply to what it keeps.
/// </summary>
public sealed class CustomSampler : Sampler<CustomSamplerParameters>
{
    /// <inheritdoc/>
    public override string Name => "top-a-sampler-name";

    /// <inheritdoc/>
    public override DeviceSnippet? Device { get; } = DeviceSnippet.FromResource(typeof(CustomSampler), "CustomSampler", "custom_sampler.cuh");

    /// <inheritdoc/>
    protected override CustomSamplerParameters CreateParameters(SamplingOptions options) => new()
    {
        // Once per request. An ArgumentException becomes a 400 that names the field.
        Limits = Truncation.From(options),
        TopA = ExtraParameter.Read(options, "top_a", fallback: 0.2, minimum: 0, maximum: 1),
    };

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in CustomSamplerParameters parameters)
    {
        // Once per token, on the engine's thread: allocate nothing. The row may be overwritten.
        if (parameters.Limits.IsGreedy)
        {
            return TokenWeights.ArgMax(row.Logits);
        }

        // Weights relative to the most probable token, so that its weight is 1 and its probability 1 / total.
        double total = TokenWeights.Exponentiate(row.Logits, parameters.Limits.InverseTemperature);

        // p ≥ a · pmax²  ⇔  weight ≥ a / total
        total = TokenWeights.ZeroBelow(row.Logits, (float)(parameters.TopA / total));

        // The row's own numbers: the same seed and position give the same token, in any batch.
        return Selection.Draw(row.Logits, total, parameters.Limits, ref row.Random);
    }
}
