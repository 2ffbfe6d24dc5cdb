using Ernie.Sampling;

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
        return new StandardParameters
        {
            InverseTemperature = options.IsGreedy ? 0 : 1 / options.Temperature,
            MinP = options.MinP,
            TopP = options.TopP,
            TopK = Math.Max(options.TopK, 0),
        };
    }

    /// <inheritdoc/>
    protected override int Sample(ref SamplingRow row, in StandardParameters parameters)
    {
        Span<float> weights = row.Logits;
        float max = WeightVector.Max(weights);
        if (parameters.InverseTemperature == 0 || parameters.TopK == 1 || !float.IsFinite(max))
        {
            return WeightVector.IndexOf(weights, max);
        }

        double total = WeightVector.Exponentiate(weights, max, parameters.InverseTemperature);
        double uniform = (row.Random.NextUInt32() + 1.0) * (1.0 / 4294967296.0);
        bool limitsCount = parameters.TopK > 0 && parameters.TopK < weights.Length;
        if (!limitsCount && parameters.TopP >= 1 && parameters.MinP <= 0)
        {
            return WeightVector.FindCumulative(weights, uniform * total);
        }

        Candidates candidates = t_candidates ??= new Candidates();
        Gather(weights, in parameters, total, limitsCount, candidates);
        double mass = total;
        if (limitsCount)
        {
            candidates.KeepTop(parameters.TopK);
            mass = candidates.Mass();
        }
        else if (parameters.MinP > 0)
        {
            mass = WeightVector.Above(weights, parameters.MinP).Mass;
        }

        if (parameters.TopP < 1)
        {
            candidates.KeepMass(Math.Min(parameters.TopP * mass, candidates.Mass()));
        }

        return candidates.FindCumulative(uniform * candidates.Mass());
    }

    // Lowers a threshold until what lies above it is sure to hold everything that top_k and top_p keep.
    private static void Gather(
        ReadOnlySpan<float> weights, in StandardParameters parameters, double total, bool limitsCount, Candidates candidates)
    {
        float floor = parameters.MinP > 0 ? parameters.MinP : float.Epsilon;
        if (limitsCount || parameters.TopP < 1)
        {
            // top_k needs its count whatever the mass, because top_p takes a part of the mass that top_k left.
            // What min_p drops only lowers the mass wanted, so the whole is a bound on the safe side.
            double neededMass = limitsCount ? double.PositiveInfinity : parameters.TopP * total;
            int neededCount = limitsCount ? parameters.TopK : int.MaxValue;
            for (float threshold = 1f / 8; threshold > floor && threshold > 1e-30f; threshold *= 1f / 16)
            {
                (int count, double mass) = WeightVector.Above(weights, threshold);
                if (count >= neededCount || mass >= neededMass)
                {
                    floor = threshold;
                    break;
                }
            }
        }

        candidates.Gather(weights, floor);
    }
}
