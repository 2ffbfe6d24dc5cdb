namespace Ernie.Sampling.Toolkit;

/// <summary>
/// Draws from weights under min-p, top-k and top-p without sorting. Tokens rank by weight, the lower id first on a tie, so
/// that "the k most probable" is one set however many tokens are equal.
/// </summary>
/// <remarks>
/// Dual-pivot rejection: draw from all tokens not yet ruled out, accept the token if what ranks before it stays within the
/// limits, else rule out all that rank no better than it, or than a second pivot half way to the top, if that is also
/// outside. Source: FlashInfer, "Sorting-Free GPU Kernels for LLM Sampling" (2025), dual pivot rejection sampling.
/// </remarks>
public static class TruncatedDraw
{
    // A few vectors long: the sum of a block decides whether the drawn token lies in it.
    private const int BlockTokens = 256;

    /// <summary>Draws a token.</summary>
    /// <param name="weights">[vocabulary] weights; min-p, and top-k when top-p is set too, zero what they exclude.</param>
    /// <param name="total">Sum of the weights, above 0.</param>
    /// <param name="limits">The standard parameters.</param>
    /// <param name="random">The row's random numbers; one per attempt.</param>
    public static int Draw(Span<float> weights, double total, in Truncation limits, ref Philox random)
    {
        if (limits.MinP > 0)
        {
            total = TokenWeights.ZeroBelow(weights, limits.MinP * TokenWeights.Maximum(weights));
        }

        int count = limits.TopK > 0 ? limits.TopK : int.MaxValue;
        if (count != int.MaxValue && limits.TopP < 1)
        {
            // Top-p counts from the mass that top-k left, so that mass has to be known first.
            total = Selection.Keep(weights, count, double.PositiveInfinity, total);
            count = int.MaxValue;
        }

        double mass = limits.TopP < 1 ? limits.TopP * total : double.PositiveInfinity;
        return count == int.MaxValue && double.IsPositiveInfinity(mass)
            ? DrawAny(weights, total, ref random)
            : Reject(weights, count, mass, total, ref random);
    }

    /// <summary>Draws a token in proportion to its weight; one random number.</summary>
    /// <param name="weights">[vocabulary] weights.</param>
    /// <param name="total">Their sum, above 0.</param>
    /// <param name="random">The row's random numbers.</param>
    public static int DrawAny(ReadOnlySpan<float> weights, double total, ref Philox random) =>
        Pick(weights, 0, 0, Uniform(ref random) * total);

    /// <summary>Draws the row's next number: uniform in (0, 1] with all 32 bits: a f32 would leave steps of 2⁻²⁴ near 1, coarser than the tail of a vocabulary.</summary>
    public static double Uniform(ref Philox random) => (random.NextUInt32() + 1.0) * (1.0 / 4294967296.0);

    private static int Reject(ReadOnlySpan<float> weights, int count, double mass, double total, ref Philox random)
    {
        // Not ruled out: what ranks before (low, lowToken). At or above high everything may be inside the limits.
        float low = 0, high = TokenWeights.Maximum(weights);
        int lowToken = 0;
        double rangeMass = total;
        while (true)
        {
            int token = Pick(weights, low, lowToken, Uniform(ref random) * rangeMass);
            float pivot = weights[token];
            float secondPivot = (pivot + high) / 2;
            Tally before = default, aboveSecond = default;
            TokenWeights.Add(weights[..token], MathF.BitDecrement(pivot), secondPivot, ref before, ref aboveSecond);
            TokenWeights.Add(weights[token..], pivot, secondPivot, ref before, ref aboveSecond);
            if (before.Count < count && before.Mass < mass)
            {
                return token;
            }

            if (aboveSecond.Count < count && aboveSecond.Mass < mass)
            {
                (low, lowToken, high, rangeMass) = (pivot, token, secondPivot, before.Mass);
            }
            else
            {
                (low, lowToken, rangeMass) = (secondPivot, 0, aboveSecond.Mass);
            }
        }
    }

    /// <summary>The token at which the running sum over what ranks before (low, lowToken) reaches a target.</summary>
    private static int Pick(ReadOnlySpan<float> weights, float low, int lowToken, double target)
    {
        double sum = 0;
        int last = -1;
        for (int start = 0; start < weights.Length;)
        {
            // Below lowToken a weight equal to low ranks before it, from there on it does not.
            bool isBeforeLow = start < lowToken;
            int end = Math.Min(start + BlockTokens, isBeforeLow ? lowToken : weights.Length);
            float floor = isBeforeLow ? MathF.BitDecrement(low) : low;
            ReadOnlySpan<float> block = weights[start..end];
            Tally tally = TokenWeights.Above(block, floor);
            if (tally.Count > 0)
            {
                int found = sum + tally.Mass >= target ? PickInBlock(block, floor, target - sum) : LastAbove(block, floor);
                if (sum + tally.Mass >= target)
                {
                    return start + found;
                }

                last = start + found;
            }

            sum += tally.Mass;
            start = end;
        }

        // Rounding left the sum a hair under the target: the last token of the range was meant.
        return last;
    }

    private static int PickInBlock(ReadOnlySpan<float> block, float floor, double target)
    {
        double sum = 0;
        int last = 0;
        for (int i = 0; i < block.Length; i++)
        {
            if (block[i] > floor)
            {
                last = i;
                sum += block[i];
                if (sum >= target)
                {
                    return i;
                }
            }
        }

        return last;
    }

    private static int LastAbove(ReadOnlySpan<float> block, float floor)
    {
        int i = block.Length - 1;
        while (!(block[i] > floor))
        {
            i--;
        }

        return i;
    }
}
