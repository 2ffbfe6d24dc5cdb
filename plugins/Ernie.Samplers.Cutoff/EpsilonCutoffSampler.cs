using Ernie.Samplers.Shared;
using Ernie.Sampling;

namespace Ernie.Samplers.Cutoff;

/// <summary>
/// Epsilon cutoff: keeps tokens of at least probability <c>epsilon_cutoff</c> (and always the most probable), then min_p,
/// top_k and top_p. Parameters: <c>epsilon_cutoff</c> in (0, 0.999], default 3e-4.
/// </summary>
/// <remarks>Source: Hewitt, Manning and Liang, "Truncation Sampling as Language Model Desmoothing", arXiv:2210.15191, §4.</remarks>
public sealed class EpsilonCutoffSampler : Sampler<CutoffParameters>
{
    /// <inheritdoc/>
    public override string Name => "epsilon-cutoff";

    /// <inheritdoc/>
    protected override CutoffParameters CreateParameters(SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new CutoffParameters
        {
            Limits = Truncation.From(options),
            Cutoff = ExtraParameter.Read(
                options, "epsilon_cutoff", CutoffParameters.Default, 0, CutoffParameters.Largest, minimumIsOpen: true),
        };
    }

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in CutoffParameters parameters)
    {
        if (parameters.Limits.IsGreedy)
        {
            return Weights.ArgMax(row.Logits);
        }

        double total = Weights.Exponentiate(row.Logits, parameters.Limits.InverseTemperature);

        // The largest weight is 1, so a floor of at most 1 keeps the most probable token.
        total = Weights.ZeroBelow(row.Logits, (float)Math.Min(1, parameters.Cutoff * total));
        return TruncatedDraw.Draw(row.Logits, total, parameters.Limits, ref row.Random);
    }
}
