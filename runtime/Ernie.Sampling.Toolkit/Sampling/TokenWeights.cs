using System.Numerics;
using System.Runtime.InteropServices;

namespace Ernie.Sampling.Toolkit;

/// <summary>Vector passes over a row of logits or of weights (unnormalised probabilities). None allocates or sorts.</summary>
public static class TokenWeights
{
    /// <summary>Index of the largest logit, the lowest on a tie; NaN counts as smallest.</summary>
    public static int ArgMax(ReadOnlySpan<float> logits)
    {
        float maximum = Maximum(logits);
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var wanted = new Vector<float>(maximum);
        int start = 0;
        while (start < vectors.Length && !Vector.EqualsAny(vectors[start], wanted))
        {
            start++;
        }

        for (int token = start * Vector<float>.Count; token < logits.Length; token++)
        {
            if (logits[token] == maximum)
            {
                return token;
            }
        }

        return 0;
    }

    /// <summary>The largest value; NaN is passed over; −∞ for a row without numbers.</summary>
    public static float Maximum(ReadOnlySpan<float> values)
    {
        float maximum = float.NegativeInfinity;
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        // Four at a time: each comparison waits for the one before it.
        Vector<float> a = new(maximum), b = a, c = a, d = a;
        int i = 0;
        for (; i + 4 <= vectors.Length; i += 4)
        {
            a = Larger(vectors[i], a);
            b = Larger(vectors[i + 1], b);
            c = Larger(vectors[i + 2], c);
            d = Larger(vectors[i + 3], d);
        }

        for (; i < vectors.Length; i++)
        {
            a = Larger(vectors[i], a);
        }

        Vector<float> maxima = Larger(Larger(a, b), Larger(c, d));
        for (int lane = 0; lane < Vector<float>.Count; lane++)
        {
            maximum = MathF.Max(maximum, maxima[lane]);
        }

        foreach (float value in values[(vectors.Length * Vector<float>.Count)..])
        {
            maximum = value > maximum ? value : maximum;
        }

        return maximum;
    }

    /// <summary>
    /// Turns logits into weights in place: e^((logit − largest) · inverse temperature), so that the largest weight is 1.
    /// </summary>
    /// <returns>The sum of the weights.</returns>
    /// <remarks>−∞ and NaN get weight 0. Among +∞ all are equal; in a row of −∞ alone, token 0 gets everything.</remarks>
    public static double Exponentiate(Span<float> logits, float inverseTemperature)
    {
        float maximum = Maximum(logits);
        if (!float.IsFinite(maximum))
        {
            return ExponentiateInfinite(logits, maximum);
        }

        Span<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var shift = new Vector<float>(maximum);
        Vector<double> sums = Vector<double>.Zero, otherSums = sums;
        for (int i = 0; i < vectors.Length; i++)
        {
            Vector<float> weight = Vector.Exp((vectors[i] - shift) * inverseTemperature);
            weight = Vector.ConditionalSelect(Vector.GreaterThan(weight, Vector<float>.Zero), weight, Vector<float>.Zero);
            vectors[i] = weight;
            Vector.Widen(weight, out Vector<double> low, out Vector<double> high);
            sums += low;
            otherSums += high;
        }

        double sum = Vector.Sum(sums + otherSums);
        foreach (ref float logit in logits[(vectors.Length * Vector<float>.Count)..])
        {
            float weight = MathF.Exp((logit - maximum) * inverseTemperature);
            logit = weight > 0 ? weight : 0;
            sum += logit;
        }

        return sum;
    }

    /// <summary>How many weights exceed a pivot, and their sum.</summary>
    public static Tally Above(ReadOnlySpan<float> weights, float pivot)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(weights);
        var limit = new Vector<float>(pivot);
        Vector<double> masses = Vector<double>.Zero;
        Vector<int> counts = Vector<int>.Zero;
        foreach (Vector<float> vector in vectors)
        {
            // A comparison that holds is −1 in its lane.
            Vector<int> isAbove = Vector.GreaterThan(vector, limit);
            counts -= isAbove;
            Vector.Widen(Vector.ConditionalSelect(isAbove, vector, Vector<float>.Zero), out Vector<double> low, out Vector<double> high);
            masses += low + high;
        }

        int count = Vector.Sum(counts);
        double mass = Vector.Sum(masses);
        foreach (float weight in weights[(vectors.Length * Vector<float>.Count)..])
        {
            count += weight > pivot ? 1 : 0;
            mass += weight > pivot ? weight : 0;
        }

        return new Tally(count, mass);
    }

    /// <summary>Adds what exceeds each of two pivots to two tallies, in one pass.</summary>
    /// <param name="weights">[vocabulary] weights.</param>
    /// <param name="pivotA">First pivot.</param>
    /// <param name="pivotB">Second pivot.</param>
    /// <param name="a">Tally of the first.</param>
    /// <param name="b">Tally of the second.</param>
    /// <remarks>Sums are taken in f64: a vocabulary of f32 sums would lose the mass of the tail.</remarks>
    public static void Add(ReadOnlySpan<float> weights, float pivotA, float pivotB, ref Tally a, ref Tally b)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(weights);
        var limitA = new Vector<float>(pivotA);
        var limitB = new Vector<float>(pivotB);
        Vector<double> massA = Vector<double>.Zero, massB = Vector<double>.Zero;
        Vector<int> countA = Vector<int>.Zero, countB = Vector<int>.Zero;
        foreach (Vector<float> vector in vectors)
        {
            Vector<int> isAboveA = Vector.GreaterThan(vector, limitA);
            Vector<int> isAboveB = Vector.GreaterThan(vector, limitB);
            countA -= isAboveA;
            countB -= isAboveB;
            Vector.Widen(Vector.ConditionalSelect(isAboveA, vector, Vector<float>.Zero), out Vector<double> low, out Vector<double> high);
            massA += low + high;
            Vector.Widen(Vector.ConditionalSelect(isAboveB, vector, Vector<float>.Zero), out low, out high);
            massB += low + high;
        }

        a = new Tally(a.Count + Vector.Sum(countA), a.Mass + Vector.Sum(massA));
        b = new Tally(b.Count + Vector.Sum(countB), b.Mass + Vector.Sum(massB));
        foreach (float weight in weights[(vectors.Length * Vector<float>.Count)..])
        {
            a = weight > pivotA ? new Tally(a.Count + 1, a.Mass + weight) : a;
            b = weight > pivotB ? new Tally(b.Count + 1, b.Mass + weight) : b;
        }
    }

    /// <summary>Sets weights below a floor to zero.</summary>
    /// <returns>The sum of those that stay.</returns>
    public static double ZeroBelow(Span<float> weights, float floor)
    {
        Span<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(weights);
        var limit = new Vector<float>(floor);
        for (int i = 0; i < vectors.Length; i++)
        {
            vectors[i] = Vector.ConditionalSelect(Vector.LessThan(vectors[i], limit), Vector<float>.Zero, vectors[i]);
        }

        foreach (ref float weight in weights[(vectors.Length * Vector<float>.Count)..])
        {
            weight = weight < floor ? 0 : weight;
        }

        return Above(weights, 0).Mass;
    }

    /// <summary>Entropy of the normalised weights, in nats.</summary>
    /// <param name="weights">Weights, none above 1.</param>
    /// <param name="total">Their sum.</param>
    public static double Entropy(ReadOnlySpan<float> weights, double total)
    {
        // −Σ w/Z · ln(w/Z) = ln Z − Σ w · ln w / Z
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(weights);
        Vector<double> sums = Vector<double>.Zero;
        foreach (Vector<float> vector in vectors)
        {
            Vector<float> product = vector * Vector.Log(vector);
            Vector.Widen(
                Vector.ConditionalSelect(Vector.GreaterThan(vector, Vector<float>.Zero), product, Vector<float>.Zero),
                out Vector<double> low,
                out Vector<double> high);
            sums += low + high;
        }

        double sum = Vector.Sum(sums);
        foreach (float weight in weights[(vectors.Length * Vector<float>.Count)..])
        {
            sum += weight > 0 ? weight * Math.Log(weight) : 0;
        }

        return Math.Log(total) - (sum / total);
    }

    // A value that is no number is not greater than any.
    private static Vector<float> Larger(Vector<float> value, Vector<float> maximum) =>
        Vector.ConditionalSelect(Vector.GreaterThan(value, maximum), value, maximum);

    private static double ExponentiateInfinite(Span<float> logits, float maximum)
    {
        int count = 0;
        for (int token = 0; token < logits.Length; token++)
        {
            bool isKept = float.IsPositiveInfinity(maximum) ? float.IsPositiveInfinity(logits[token]) : token == 0;
            logits[token] = isKept ? 1 : 0;
            count += isKept ? 1 : 0;
        }

        return count;
    }
}
