namespace Ernie.Sampling.Toolkit;

/// <summary>Exact top-k and top-p sets without a sort.</summary>
public static class Selection
{
    /// <summary>Draws from what min-p, top-k and top-p leave, in order of ids, with one random number: what device forms do too.</summary>
    /// <param name="weights">[vocabulary] weights ≥ 0; what is excluded is zeroed.</param>
    /// <param name="total">Sum of the weights.</param>
    /// <param name="limits">The standard parameters.</param>
    /// <param name="random">The row's random numbers.</param>
    public static int Draw(Span<float> weights, double total, in Truncation limits, ref Philox random) =>
        TruncatedDraw.DrawAny(weights, Limit(weights, total, limits), ref random);

    /// <summary>Zeroes what min-p, top-k and top-p exclude, in this order.</summary>
    /// <param name="weights">[vocabulary] weights ≥ 0.</param>
    /// <param name="total">Sum of the weights.</param>
    /// <param name="limits">The standard parameters.</param>
    /// <returns>The sum of what stays.</returns>
    public static double Limit(Span<float> weights, double total, in Truncation limits)
    {
        if (limits.MinP > 0)
        {
            total = TokenWeights.ZeroBelow(weights, limits.MinP * TokenWeights.Maximum(weights));
        }

        if (limits.TopK > 0)
        {
            total = Keep(weights, limits.TopK, double.PositiveInfinity, total);
        }

        return limits.TopP < 1 ? Keep(weights, int.MaxValue, limits.TopP * total, total) : total;
    }

    /// <summary>Keeps the best-ranking tokens until they are <paramref name="count"/> or weigh <paramref name="mass"/>; zeroes the rest.</summary>
    /// <param name="weights">[vocabulary] weights ≥ 0.</param>
    /// <param name="count">Tokens kept at most, at least 1.</param>
    /// <param name="mass">Sum at which keeping stops, above 0.</param>
    /// <param name="total">Sum of the weights.</param>
    /// <returns>The sum of what stays.</returns>
    /// <remarks>
    /// Positive floats order as their bit patterns do, so the threshold is found by cutting the range of patterns at two
    /// pivots per pass: at most 20 passes for 2³⁰ patterns, and about half where no two candidates are equal.
    /// </remarks>
    public static double Keep(Span<float> weights, int count, double mass, double total)
    {
        // "Enough" weighs at or above low; not enough at or above high.
        int low = 1, high = BitConverter.SingleToInt32Bits(TokenWeights.Maximum(weights)) + 1;
        Tally atLow = TokenWeights.Above(weights, 0), atHigh = default;
        if (!IsEnough(atLow, count, mass))
        {
            return total;
        }

        while (high - low > 1)
        {
            int third = Math.Max(1, (high - low) / 3);
            int pivotA = low + third, pivotB = high - third;
            Tally a = default, b = default;
            TokenWeights.Add(weights, Below(pivotA), Below(pivotB), ref a, ref b);
            if (IsEnough(b, count, mass))
            {
                (low, atLow) = (pivotB, b);
            }
            else if (IsEnough(a, count, mass))
            {
                (low, atLow, high, atHigh) = (pivotA, a, pivotB, b);
            }
            else
            {
                (high, atHigh) = (pivotA, a);
            }

            if (atLow.Count - atHigh.Count == 1)
            {
                // One token in between: it is the last to stay, whatever its exact weight.
                return TokenWeights.ZeroBelow(weights, BitConverter.Int32BitsToSingle(low));
            }
        }

        return KeepFrom(weights, BitConverter.Int32BitsToSingle(low), count, mass);
    }

    private static double KeepFrom(Span<float> weights, float threshold, int count, double mass)
    {
        Tally kept = TokenWeights.Above(weights, threshold);
        TokenWeights.ZeroBelow(weights, threshold);
        foreach (ref float weight in weights)
        {
            if (weight == threshold)
            {
                bool isKept = kept.Count < count && kept.Mass < mass;
                kept = isKept ? new Tally(kept.Count + 1, kept.Mass + weight) : kept;
                weight = isKept ? weight : 0;
            }
        }

        return kept.Mass;
    }

    private static bool IsEnough(in Tally tally, int count, double mass) => tally.Count >= count || tally.Mass >= mass;

    private static float Below(int bits) => BitConverter.Int32BitsToSingle(bits - 1);
}
