using Ernie.Sampling;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.MinP;

/// <summary>
/// Min-p: keeps tokens at least <c>min_p</c> times as probable as the most probable one, so that the set grows with the
/// model's doubt. A request that names no <c>min_p</c>, or 0, gets <see cref="DefaultMinP"/>; top_k and top_p then apply to
/// what is left.
/// </summary>
/// <remarks>Source: Nguyen et al., "Turning Up the Heat: Min-p Sampling", arXiv:2407.01082.</remarks>
public sealed class MinPSampler : Sampler<MinPParameters>
{
    /// <inheritdoc/>
    public override string Name => "min-p";

    /// <summary>min_p when the request names none: the paper's recommendation.</summary>
    public const float DefaultMinP = 0.1f;

    /// <inheritdoc/>
    public override DeviceSnippet? Device { get; } = DeviceSnippet.FromResource(typeof(MinPSampler), "MinPSampler", "min_p_sampler.cuh");

    /// <inheritdoc/>
    protected override MinPParameters CreateParameters(SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new MinPParameters { Limits = Truncation.From(options, DefaultMinP) };
    }

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in MinPParameters parameters)
    {
        if (parameters.Limits.IsGreedy)
        {
            return TokenWeights.ArgMax(row.Logits);
        }

        double total = TokenWeights.Exponentiate(row.Logits, parameters.Limits.InverseTemperature);
        return Selection.Draw(row.Logits, total, parameters.Limits, ref row.Random);
    }
}
