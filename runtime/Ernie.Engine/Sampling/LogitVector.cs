using System.Numerics;
using System.Runtime.InteropServices;

namespace Ernie.Engine.Sampling;

/// <summary>Vector passes over one row of logits.</summary>
internal static class LogitVector
{
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

    /// <summary>log Σ exp(value), in double where the sum is formed.</summary>
    public static double LogSumExp(ReadOnlySpan<float> values)
    {
        float max = Max(values);
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        var offset = new Vector<float>(max);
        double sum = 0;
        const int Block = 64;
        for (int start = 0; start < vectors.Length; start += Block)
        {
            // Single precision within a block of 64 vectors, double across blocks.
            Vector<float> partial = Vector<float>.Zero;
            foreach (Vector<float> vector in vectors.Slice(start, Math.Min(Block, vectors.Length - start)))
            {
                partial += Vector.Exp(vector - offset);
            }

            sum += Vector.Sum(partial);
        }

        foreach (float value in values[(vectors.Length * Vector<float>.Count)..])
        {
            sum += MathF.Exp(value - max);
        }

        return max + Math.Log(sum);
    }

    /// <summary>How many values are larger than a bound.</summary>
    public static int CountGreater(ReadOnlySpan<float> values, float bound)
    {
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        var bounds = new Vector<float>(bound);
        Vector<int> counts = Vector<int>.Zero;
        foreach (Vector<float> vector in vectors)
        {
            // A comparison that holds is −1 in its lane.
            counts -= Vector.GreaterThan(vector, bounds);
        }

        int count = Vector.Sum(counts);
        foreach (float value in values[(vectors.Length * Vector<float>.Count)..])
        {
            count += value > bound ? 1 : 0;
        }

        return count;
    }

    /// <summary>The largest values, best first, the lower id first among equals.</summary>
    /// <param name="values">[vocabulary] logits.</param>
    /// <param name="tokens">Receives ids; its length is how many are wanted, at most the vocabulary.</param>
    /// <param name="best">Receives their values.</param>
    public static void Top(ReadOnlySpan<float> values, Span<int> tokens, Span<float> best)
    {
        int wanted = tokens.Length;
        if (wanted == 0)
        {
            return;
        }

        int held = 0;
        float least = float.NegativeInfinity;
        int width = Vector<float>.Count;
        for (int start = 0; start < values.Length; start += width)
        {
            ReadOnlySpan<float> block = values.Slice(start, Math.Min(width, values.Length - start));
            if (held == wanted && block.Length == width
                && !Vector.GreaterThanAny(new Vector<float>(block), new Vector<float>(least)))
            {
                continue;
            }

            for (int i = 0; i < block.Length; i++)
            {
                if (held < wanted || block[i] > least)
                {
                    held = InsertSorted(tokens, best, held, start + i, block[i]);
                    least = best[held - 1];
                }
            }
        }
    }

    private static int InsertSorted(Span<int> tokens, Span<float> best, int held, int token, float value)
    {
        int at = held < tokens.Length ? held++ : held - 1;
        while (at > 0 && best[at - 1] < value)
        {
            (tokens[at], best[at]) = (tokens[at - 1], best[at - 1]);
            at--;
        }

        (tokens[at], best[at]) = (token, value);
        return held;
    }
}
