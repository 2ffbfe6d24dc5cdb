using Ernie.Sampling;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Cutoff;

/// <summary>
/// Keeps tokens of at least a probability (and always the most probable), then min_p, top_k and top_p. Epsilon cutoff: of at least
/// <c>epsilon_cutoff</c>. Eta cutoff: of at least min(<c>eta_cutoff</c>, √<c>eta_cutoff</c> · e^−entropy), so that a doubtful model keeps
/// more. Parameters: <c>epsilon_cutoff</c> or <c>eta_cutoff</c> in (0, 0.999], default 3e-4.
/// </summary>
/// <remarks>
/// Source: Hewitt, Manning and Liang, "Truncation Sampling as Language Model Desmoothing", arXiv:2210.15191, §4, with α = √ε as there.
/// </remarks>
public sealed class CutoffSampler : Sampler<CutoffParameters>
{
    private readonly bool _followsEntropy;
    private readonly string _field;

    private CutoffSampler(string name, string field, bool followsEntropy)
    {
        Name = name;
        _field = field;
        _followsEntropy = followsEntropy;
    }

    /// <summary>The epsilon cutoff.</summary>
    public static CutoffSampler Epsilon { get; } = new("epsilon-cutoff", "epsilon_cutoff", followsEntropy: false);

    /// <summary>The eta cutoff.</summary>
    public static CutoffSampler Eta { get; } = new("eta-cutoff", "eta_cutoff", followsEntropy: true);

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override DeviceSnippet? Device { get; } = DeviceSnippet.FromResource(typeof(CutoffSampler), "CutoffSampler", "cutoff_sampler.cuh");

    /// <inheritdoc/>
    protected override CutoffParameters CreateParameters(SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new CutoffParameters
        {
            Limits = Truncation.From(options),
            Cutoff = ExtraParameter.Read(options, _field, CutoffParameters.Default, 0, CutoffParameters.Largest, minimumIsOpen: true),
            FollowsEntropy = _followsEntropy ? 1 : 0,
        };
    }

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in CutoffParameters parameters)
    {
        if (parameters.Limits.IsGreedy)
        {
            return TokenWeights.ArgMax(row.Logits);
        }

        double total = TokenWeights.Exponentiate(row.Logits, parameters.Limits.InverseTemperature);
        double least = parameters.Cutoff;
        if (parameters.FollowsEntropy != 0)
        {
            least = Math.Min(least, Math.Sqrt(least) * Math.Exp(-TokenWeights.Entropy(row.Logits, total)));
        }

        // The largest weight is 1, so a floor of at most 1 keeps the most probable token.
        total = TokenWeights.ZeroBelow(row.Logits, (float)Math.Min(1, least * total));
        return Selection.Draw(row.Logits, total, parameters.Limits, ref row.Random);
    }
}
