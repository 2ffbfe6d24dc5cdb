using System.Numerics;
using System.Runtime.InteropServices;

namespace Ernie.Samplers.Standard;

/// <summary>Vector passes over one row.</summary>
internal static class WeightVector
{
    // Single precision within a block of this many vectors, double across blocks.
    private const int BlockVectors = 64;

    /// <summary>The largest value; −∞ for an empty row.</summary>
    public static float Max(ReadOnlySpan<float> values)
    {
        float max = float.NegativeInfinity;
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        if (!vectors.IsEmpty)
        {
            Vector<float> best = vectors[0];
            foreach (Vector<float> vector in vectors)
            {
                best = Vector.Max(best, vector);
            }

            for (int i = 0; i < Vector<float>.Count; i++)
            {
                max = MathF.Max(max, best[i]);
            }
        }

        foreach (float value in values[(vectors.Length * Vector<float>.Count)..])
        {
            max = MathF.Max(max, value);
        }

        return max;
    }

    /// <summary>The first index of a value; 0 when it does not occur.</summary>
    public static int IndexOf(ReadOnlySpan<float> values, float value)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        var wanted = new Vector<float>(value);
        int start = 0;
        while (start < vectors.Length && !Vector.EqualsAny(vectors[start], wanted))
        {
            start++;
        }

        for (int i = start * Vector<float>.Count; i < values.Length; i++)
        {
            if (values[i] == value)
            {
                return i;
            }
        }

        return 0;
    }

    /// <summary>Replaces every value by exp((value − max) · scale) and returns the sum.</summary>
    public static double Exponentiate(Span<float> values, float max, float scale)
    {
        Span<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        var offset = new Vector<float>(max);
        var factor = new Vector<float>(scale);
        double sum = 0;
        for (int start = 0; start < vectors.Length; start += BlockVectors)
        {
            Vector<float> partial = Vector<float>.Zero;
            foreach (ref Vector<float> vector in vectors.Slice(start, Math.Min(BlockVectors, vectors.Length - start)))
            {
                vector = Vector.Exp((vector - offset) * factor);
                partial += vector;
            }

            sum += Vector.Sum(partial);
        }

        foreach (ref float value in values[(vectors.Length * Vector<float>.Count)..])
        {
            value = MathF.Exp((value - max) * scale);
            sum += value;
        }

        return sum;
    }

    /// <summary>How many weights are at least a threshold, and their sum.</summary>
    public static (int Count, double Mass) Above(ReadOnlySpan<float> weights, float threshold)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(weights);
        var bound = new Vector<float>(threshold);
        Vector<int> counts = Vector<int>.Zero;
        double mass = 0;
        for (int start = 0; start < vectors.Length; start += BlockVectors)
        {
            Vector<float> partial = Vector<float>.Zero;
            foreach (Vector<float> vector in vectors.Slice(start, Math.Min(BlockVectors, vectors.Length - start)))
            {
                // A comparison that holds is −1 in its lane.
                Vector<int> above = Vector.GreaterThanOrEqual(vector, bound);
                counts -= above;
                partial += Vector.ConditionalSelect(above, vector, Vector<float>.Zero);
            }

            mass += Vector.Sum(partial);
        }

        int count = Vector.Sum(counts);
        foreach (float weight in weights[(vectors.Length * Vector<float>.Count)..])
        {
            if (weight >= threshold)
            {
                count++;
                mass += weight;
            }
        }

        return (count, mass);
    }

    /// <summary>The first index at which the running sum of weights reaches a target; the last index with weight when rounding keeps it short.</summary>
    public static int FindCumulative(ReadOnlySpan<float> weights, double target)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(weights);
        double sum = 0;
        int start = 0;
        for (int block = 0; block < vectors.Length; block += BlockVectors)
        {
            Vector<float> partial = Vector<float>.Zero;
            foreach (Vector<float> vector in vectors.Slice(block, Math.Min(BlockVectors, vectors.Length - block)))
            {
                partial += vector;
            }

            double blockSum = Vector.Sum(partial);
            if (sum + blockSum >= target)
            {
                break;
            }

            sum += blockSum;
            start = Math.Min(block + BlockVectors, vectors.Length) * Vector<float>.Count;
        }

        int last = 0;
        for (int i = start; i < weights.Length; i++)
        {
            if (weights[i] > 0)
            {
                last = i;
                sum += weights[i];
                if (sum >= target)
                {
                    return i;
                }
            }
        }

        // The target lies beyond the sum by rounding alone.
        return last > 0 ? last : weights.LastIndexOfAnyInRange(float.Epsilon, float.MaxValue) is var index && index >= 0 ? index : 0;
    }
}
