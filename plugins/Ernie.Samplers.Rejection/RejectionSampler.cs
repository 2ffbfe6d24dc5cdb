using Ernie.Sampling;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Rejection;

/// <summary>
/// Temperature, min-p, top-k and top-p by dual-pivot rejection: the standard sampler's distribution without a sort.
/// Parameters: temperature, min_p, top_k, top_p.
/// </summary>
/// <remarks>
/// Source: FlashInfer, "Sorting-Free GPU Kernels for LLM Sampling" (2025). Unlike the engine it is named after in
/// <c>FD_SAMPLING_CLASS=rejection</c>, it draws from the row's own seeded numbers.
/// </remarks>
public sealed class RejectionSampler : Sampler<RejectionParameters>
{
    /// <inheritdoc/>
    public override string Name => "rejection";

    /// <inheritdoc/>
    public override DeviceSnippet? Device { get; } = DeviceSnippet.FromResource(typeof(RejectionSampler), "RejectionSampler", "rejection_sampler.cuh");

    /// <inheritdoc/>
    protected override RejectionParameters CreateParameters(SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new RejectionParameters { Limits = Truncation.From(options) };
    }

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in RejectionParameters parameters)
    {
        if (parameters.Limits.IsGreedy)
        {
            return TokenWeights.ArgMax(row.Logits);
        }

        double total = TokenWeights.Exponentiate(row.Logits, parameters.Limits.InverseTemperature);
        return TruncatedDraw.Draw(row.Logits, total, parameters.Limits, ref row.Random);
    }
}
