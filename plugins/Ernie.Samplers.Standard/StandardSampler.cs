using Ernie.Sampling;
using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Standard;

/// <summary>Greedy, or temperature → min_p → top_k → top_p (of what top_k left, renormalised) → draw.</summary>
/// <remarks>
/// Nothing is sorted: probabilities relative to the largest one are formed in place, a threshold that surely keeps enough is
/// searched with vector passes, and the exact cut is selected among the few tokens above it. Equal probabilities are kept
/// from the lowest id on. The draw inverts the cumulative distribution in id order with 32 random bits.
/// </remarks>
public sealed class StandardSampler : Sampler<StandardParameters>
{
    [ThreadStatic]
    private static Candidates? t_candidates;

    /// <inheritdoc/>
    public override string Name => "standard";

    /// <inheritdoc/>
    public override DeviceSnippet? Device { get; } = DeviceSnippet.FromResource(
        typeof(StandardSampler), "StandardSampler", "standard_sampler.cuh");

    /// <inheritdoc/>
    protected override StandardParameters CreateParameters(SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new StandardParameters { Limits = Truncation.From(options) };
    }

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in StandardParameters parameters)
    {
        Span<float> weights = row.Logits;
        Truncation limits = parameters.Limits;
        if (limits.IsGreedy || limits.TopK == 1)
        {
            return TokenWeights.ArgMax(weights);
        }

        double total = TokenWeights.Exponentiate(weights, limits.InverseTemperature);
        bool limitsCount = limits.TopK > 0 && limits.TopK < weights.Length;
        if (!limitsCount && limits.TopP >= 1 && limits.MinP <= 0)
        {
            return TruncatedDraw.DrawAny(weights, total, ref row.Random);
        }

        Candidates candidates = t_candidates ??= new Candidates();
        Gather(weights, limits, total, limitsCount, candidates);
        double mass = total;
        if (limitsCount)
        {
            candidates.KeepTop(limits.TopK);
            mass = candidates.Mass();
        }
        else if (limits.MinP > 0)
        {
            mass = AtLeast(weights, limits.MinP).Mass;
        }

        if (limits.TopP < 1)
        {
            candidates.KeepMass(Math.Min(limits.TopP * mass, candidates.Mass()));
        }

        return candidates.FindCumulative(TruncatedDraw.Uniform(ref row.Random) * candidates.Mass());
    }

    // Lowers a threshold until what lies above it is sure to hold everything that top_k and top_p keep.
    private static void Gather(
        ReadOnlySpan<float> weights, in Truncation limits, double total, bool limitsCount, Candidates candidates)
    {
        float floor = limits.MinP > 0 ? limits.MinP : float.Epsilon;
        if (limitsCount || limits.TopP < 1)
        {
            // top_k needs its count whatever the mass, because top_p takes a part of the mass that top_k left.
            // What min_p drops only lowers the mass wanted, so the whole is a bound on the safe side.
            double neededMass = limitsCount ? double.PositiveInfinity : limits.TopP * total;
            int neededCount = limitsCount ? limits.TopK : int.MaxValue;
            for (float threshold = 1f / 8; threshold > floor && threshold > 1e-30f; threshold *= 1f / 16)
            {
                (int count, double mass) = AtLeast(weights, threshold);
                if (count >= neededCount || mass >= neededMass)
                {
                    floor = threshold;
                    break;
                }
            }
        }

        candidates.Gather(weights, floor);
    }

    private static Tally AtLeast(ReadOnlySpan<float> weights, float threshold) => TokenWeights.Above(weights, MathF.BitDecrement(threshold));
}
