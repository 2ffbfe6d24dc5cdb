using Ernie.Samplers.Shared;
using Ernie.Sampling;

namespace Ernie.Samplers.Dry;

/// <summary>
/// DRY: lowers the logit of a token that would extend a repetition of at least <c>dry_allowed_length</c> tokens by
/// <c>dry_multiplier</c> · <c>dry_base</c>^(length − allowed length), then temperature, min_p, top_k and top_p; greedy requests are
/// penalised too. Parameters: <c>dry_multiplier</c> in [0, 100], default 0.8 (0 is off); <c>dry_base</c> in [1, 10], default 1.75;
/// <c>dry_allowed_length</c> in [1, 255], default 2; <c>dry_breaker_1</c> … <c>dry_breaker_4</c>, ids of tokens that no
/// repetition may cross, default none.
/// </summary>
/// <remarks>
/// Source: P. E. Weidmann, "DRY: A modern repetition penalty", text-generation-webui pull request 5677 (2024). Repetitions are
/// looked for in the last <see cref="SamplerLimits.TailTokens"/> tokens. Breakers are token ids, since a sampler sees no text.
/// </remarks>
public sealed class DrySampler : Sampler<DryParameters>
{
    /// <inheritdoc/>
    public override string Name => "dry";

    /// <inheritdoc/>
    public override SamplerNeeds Needs => SamplerNeeds.Tail;

    /// <inheritdoc/>
    protected override DryParameters CreateParameters(SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DryParameters
        {
            Limits = Truncation.From(options),
            Multiplier = ExtraParameter.Read(options, "dry_multiplier", fallback: 0.8, minimum: 0, maximum: 100),
            Base = ExtraParameter.Read(options, "dry_base", fallback: 1.75, minimum: 1, maximum: 10),
            AllowedLength = ExtraParameter.ReadWhole(
                options, "dry_allowed_length", fallback: 2, minimum: 1, maximum: SamplerLimits.TailTokens - 1),
            Breaker1 = ExtraParameter.ReadWhole(options, "dry_breaker_1", fallback: -1, minimum: -1, maximum: int.MaxValue),
            Breaker2 = ExtraParameter.ReadWhole(options, "dry_breaker_2", fallback: -1, minimum: -1, maximum: int.MaxValue),
            Breaker3 = ExtraParameter.ReadWhole(options, "dry_breaker_3", fallback: -1, minimum: -1, maximum: int.MaxValue),
            Breaker4 = ExtraParameter.ReadWhole(options, "dry_breaker_4", fallback: -1, minimum: -1, maximum: int.MaxValue),
        };
    }

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in DryParameters parameters)
    {
        if (parameters.Multiplier > 0)
        {
            RepetitionPenalty.Apply(row.Logits, row.Tail, parameters);
        }

        if (parameters.Limits.IsGreedy)
        {
            return Weights.ArgMax(row.Logits);
        }

        double total = Weights.Exponentiate(row.Logits, parameters.Limits.InverseTemperature);
        return TruncatedDraw.Draw(row.Logits, total, parameters.Limits, ref row.Random);
    }
}
