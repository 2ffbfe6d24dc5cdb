using Ernie.Sampling.Toolkit;

namespace Ernie.Samplers.Typical;

/// <summary>Cuts weights to the set of tokens nearest to the distribution's entropy, without a sort.</summary>
internal static class TypicalSet
{
    // The smallest f32 weight lies 104 nats under the largest: no distance is greater.
    private const double LargestDistance = 128;

    // Neighbouring f32 weights lie 6e-8 nats apart; nearer distances are ties.
    private const double DistanceResolution = 1e-8;

    /// <summary>Keeps the nearest tokens until they weigh <paramref name="mass"/>, lower ids first on a tie; zeroes the rest.</summary>
    /// <param name="weights">[vocabulary] weights in [0, 1].</param>
    /// <param name="total">Sum of the weights.</param>
    /// <param name="mass">Sum to reach, below <paramref name="total"/>.</param>
    /// <returns>The sum of what stays.</returns>
    /// <remarks>
    /// |surprise − entropy| = |ln Z − ln w − H|: tokens within a distance are a band of weights, so the distance is found by
    /// bisection over two counts per pass.
    /// </remarks>
    public static double Keep(Span<float> weights, double total, double mass)
    {
        double centre = Math.Log(total) - TokenWeights.Entropy(weights, total);
        double near = 0, far = LargestDistance;
        Tally inner = Within(weights, centre, near), outer = Within(weights, centre, far);
        if (inner.Mass >= mass)
        {
            // Equal weights, or one token with everything: the tokens exactly at the centre are ties.
            return KeepBand(weights, centre, near: -1, far: near, mass);
        }

        while (far - near > DistanceResolution && outer.Count - inner.Count > 1)
        {
            double middle = (near + far) / 2;
            Tally band = Within(weights, centre, middle);
            if (band.Mass >= mass)
            {
                (far, outer) = (middle, band);
            }
            else
            {
                (near, inner) = (middle, band);
            }
        }

        return KeepBand(weights, centre, near, far, mass);
    }

    private static double KeepBand(Span<float> weights, double centre, double near, double far, double mass)
    {
        (float outerLow, float outerHigh) = Edges(centre, far);
        (float innerLow, float innerHigh) = near < 0 ? (float.PositiveInfinity, 0) : Edges(centre, near);
        double kept = near < 0 ? 0 : Within(weights, centre, near).Mass;
        foreach (ref float weight in weights)
        {
            if (weight > innerLow && weight <= innerHigh)
            {
                continue;
            }

            bool isKept = weight > outerLow && weight <= outerHigh && kept < mass;
            kept += isKept ? weight : 0;
            weight = isKept ? weight : 0;
        }

        return kept;
    }

    private static Tally Within(ReadOnlySpan<float> weights, double centre, double distance)
    {
        (float low, float high) = Edges(centre, distance);
        Tally aboveLow = default, aboveHigh = default;
        TokenWeights.Add(weights, low, high, ref aboveLow, ref aboveHigh);
        return new Tally(aboveLow.Count - aboveHigh.Count, aboveLow.Mass - aboveHigh.Mass);
    }

    // (low, high]: the lower edge is one step down, so that a weight on it is inside.
    private static (float Low, float High) Edges(double centre, double distance) =>
        (MathF.Max(0, MathF.BitDecrement((float)Math.Exp(centre - distance))), (float)Math.Exp(centre + distance));
}
