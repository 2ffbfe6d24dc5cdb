using System.Runtime.Intrinsics;

namespace Ernie.Testing;

/// <summary>The arithmetic of <see cref="ReferenceModel"/>: f32 sums in 16 lanes.</summary>
public static class ReferenceMath
{
    private const int Tile = 4;

    /// <summary>output[r, n] = Σ input[r, k] · weight[n, k].</summary>
    /// <param name="input">[rows, columns].</param>
    /// <param name="weight">[outputs, columns].</param>
    /// <param name="columns">Shared width.</param>
    /// <returns>[rows, outputs].</returns>
    public static float[] MultiplyTransposed(float[] input, float[] weight, int columns)
    {
        int rows = input.Length / columns;
        int outputs = weight.Length / columns;
        var output = new float[rows * outputs];
        const int OutputsPerTask = 64;
        Parallel.For(0, (outputs + OutputsPerTask - 1) / OutputsPerTask, task =>
        {
            int end = Math.Min(outputs, (task + 1) * OutputsPerTask);
            for (int row = 0; row < rows; row += Tile)
            {
                for (int n = task * OutputsPerTask; n < end; n += Tile)
                {
                    if (row + Tile <= rows && n + Tile <= end && columns % Vector512<float>.Count == 0)
                        MultiplyTile(input, weight, columns, row, n, output, outputs);
                    else
                        MultiplyEdge(input, weight, columns, row, Math.Min(rows, row + Tile), n, Math.Min(end, n + Tile), output, outputs);
                }
            }
        });
        return output;
    }

    /// <summary>Σ left[i] · right[i].</summary>
    /// <param name="left">f32 values.</param>
    /// <param name="right">As many.</param>
    public static float Dot(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        Vector512<float> sum = Vector512<float>.Zero;
        int i = 0;
        for (; i <= left.Length - Vector512<float>.Count; i += Vector512<float>.Count)
            sum = Vector512.FusedMultiplyAdd(Vector512.Create(left[i..]), Vector512.Create(right[i..]), sum);
        float total = Vector512.Sum(sum);
        for (; i < left.Length; i++)
            total += left[i] * right[i];
        return total;
    }

    /// <summary>destination[i] += source[i] · factor.</summary>
    /// <param name="destination">Added to.</param>
    /// <param name="source">As many values.</param>
    /// <param name="factor">Scales the source.</param>
    public static void AddScaled(Span<float> destination, ReadOnlySpan<float> source, float factor)
    {
        int i = 0;
        for (; i <= source.Length - Vector512<float>.Count; i += Vector512<float>.Count)
            Vector512.FusedMultiplyAdd(Vector512.Create(source[i..]), Vector512.Create(factor), Vector512.Create<float>(destination[i..])).CopyTo(destination[i..]);
        for (; i < source.Length; i++)
            destination[i] += source[i] * factor;
    }

    /// <summary>Replaces scores by probabilities.</summary>
    /// <param name="scores">Overwritten.</param>
    public static void Softmax(Span<float> scores)
    {
        float maximum = float.NegativeInfinity;
        foreach (float score in scores)
            maximum = MathF.Max(maximum, score);
        double sum = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = MathF.Exp(scores[i] - maximum);
            sum += scores[i];
        }
        for (int i = 0; i < scores.Length; i++)
            scores[i] = (float)(scores[i] / sum);
    }

    /// <summary>−ln of the probability that the logits give to a token.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="token">Zero-based id.</param>
    public static double NegativeLogLikelihood(ReadOnlySpan<float> logits, int token)
    {
        float maximum = float.NegativeInfinity;
        foreach (float logit in logits)
            maximum = MathF.Max(maximum, logit);
        double sum = 0;
        foreach (float logit in logits)
            sum += MathF.Exp(logit - maximum);
        return Math.Log(sum) + maximum - logits[token];
    }

    // Sixteen sums at a time: each loaded vector is used four times.
    private static void MultiplyTile(float[] input, float[] weight, int columns, int row, int n, float[] output, int outputs)
    {
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default;
        Vector512<float> s20 = default, s21 = default, s22 = default, s23 = default;
        Vector512<float> s30 = default, s31 = default, s32 = default, s33 = default;
        ref float a = ref input[row * columns];
        ref float b = ref weight[n * columns];
        for (nuint k = 0; k < (nuint)columns; k += (nuint)Vector512<float>.Count)
        {
            nuint width = (nuint)columns;
            Vector512<float> b0 = Vector512.LoadUnsafe(ref b, k), b1 = Vector512.LoadUnsafe(ref b, k + width);
            Vector512<float> b2 = Vector512.LoadUnsafe(ref b, k + 2 * width), b3 = Vector512.LoadUnsafe(ref b, k + 3 * width);
            Vector512<float> x = Vector512.LoadUnsafe(ref a, k);
            (s00, s01, s02, s03) = (Vector512.FusedMultiplyAdd(x, b0, s00), Vector512.FusedMultiplyAdd(x, b1, s01), Vector512.FusedMultiplyAdd(x, b2, s02), Vector512.FusedMultiplyAdd(x, b3, s03));
            x = Vector512.LoadUnsafe(ref a, k + width);
            (s10, s11, s12, s13) = (Vector512.FusedMultiplyAdd(x, b0, s10), Vector512.FusedMultiplyAdd(x, b1, s11), Vector512.FusedMultiplyAdd(x, b2, s12), Vector512.FusedMultiplyAdd(x, b3, s13));
            x = Vector512.LoadUnsafe(ref a, k + 2 * width);
            (s20, s21, s22, s23) = (Vector512.FusedMultiplyAdd(x, b0, s20), Vector512.FusedMultiplyAdd(x, b1, s21), Vector512.FusedMultiplyAdd(x, b2, s22), Vector512.FusedMultiplyAdd(x, b3, s23));
            x = Vector512.LoadUnsafe(ref a, k + 3 * width);
            (s30, s31, s32, s33) = (Vector512.FusedMultiplyAdd(x, b0, s30), Vector512.FusedMultiplyAdd(x, b1, s31), Vector512.FusedMultiplyAdd(x, b2, s32), Vector512.FusedMultiplyAdd(x, b3, s33));
        }
        Store(output.AsSpan(row * outputs + n), s00, s01, s02, s03);
        Store(output.AsSpan((row + 1) * outputs + n), s10, s11, s12, s13);
        Store(output.AsSpan((row + 2) * outputs + n), s20, s21, s22, s23);
        Store(output.AsSpan((row + 3) * outputs + n), s30, s31, s32, s33);
    }

    private static void Store(Span<float> destination, Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        destination[0] = Vector512.Sum(a);
        destination[1] = Vector512.Sum(b);
        destination[2] = Vector512.Sum(c);
        destination[3] = Vector512.Sum(d);
    }

    private static void MultiplyEdge(float[] input, float[] weight, int columns, int firstRow, int endRow, int firstOutput, int endOutput, float[] output, int outputs)
    {
        for (int row = firstRow; row < endRow; row++)
        {
            for (int n = firstOutput; n < endOutput; n++)
                output[row * outputs + n] = Dot(input.AsSpan(row * columns, columns), weight.AsSpan(n * columns, columns));
        }
    }
}
