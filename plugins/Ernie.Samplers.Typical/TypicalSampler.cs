using Ernie.Sampling;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Typical;

/// <summary>
/// Locally typical sampling: keeps the tokens whose surprise is closest to the entropy of the distribution, until they hold
/// <c>typical_p</c> of the mass; then min_p, top_k and top_p. Parameters: <c>typical_p</c> in (0, 1], default 0.9.
/// </summary>
/// <remarks>Source: Meister et al., "Locally Typical Sampling", arXiv:2202.00666, §3.</remarks>
public sealed class TypicalSampler : Sampler<TypicalParameters>
{
    /// <inheritdoc/>
    public override string Name => "typical";

    /// <inheritdoc/>
    public override DeviceSnippet? Device { get; } = DeviceSnippet.FromResource(typeof(TypicalSampler), "TypicalSampler", "typical_sampler.cuh");

    /// <inheritdoc/>
    protected override TypicalParameters CreateParameters(SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new TypicalParameters
        {
            Limits = Truncation.From(options),
            TypicalP = ExtraParameter.Read(options, "typical_p", fallback: 0.9, minimum: 0, maximum: 1, minimumIsOpen: true),
        };
    }

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in TypicalParameters parameters)
    {
        if (parameters.Limits.IsGreedy)
        {
            return TokenWeights.ArgMax(row.Logits);
        }

        double total = TokenWeights.Exponentiate(row.Logits, parameters.Limits.InverseTemperature);
        if (parameters.TypicalP < 1)
        {
            total = TypicalSet.Keep(row.Logits, total, parameters.TypicalP * total);
        }

        return Selection.Draw(row.Logits, total, parameters.Limits, ref row.Random);
    }
}
