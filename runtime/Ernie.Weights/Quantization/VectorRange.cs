using System.Runtime.Intrinsics;

namespace Ernie.Weights;

/// <summary>Extremes of a span of weights.</summary>
internal static class VectorRange
{
    /// <summary>Largest magnitude; zero for an empty span.</summary>
    /// <exception cref="ArithmeticException">A weight is not a finite number.</exception>
    public static float AbsoluteMaximum(ReadOnlySpan<float> values)
    {
        (float minimum, float maximum) = MinimumMaximum(values);
        return MathF.Max(-minimum, maximum);
    }

    /// <summary>Smallest and largest of the values and zero.</summary>
    /// <exception cref="ArithmeticException">A weight is not a finite number.</exception>
    public static (float Minimum, float Maximum) MinimumMaximum(ReadOnlySpan<float> values)
    {
        Vector512<float> minima = Vector512<float>.Zero;
        Vector512<float> maxima = Vector512<float>.Zero;
        int i = 0;
        for (; i <= values.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            Vector512<float> value = Vector512.Create(values[i..]);
            // Min and Max hand a NaN on, so that one check at the end sees it.
            minima = Vector512.Min(minima, value);
            maxima = Vector512.Max(maxima, value);
        }
        float minimum = 0f;
        float maximum = 0f;
        for (int lane = 0; lane < Vector512<float>.Count; lane++)
        {
            minimum = MathF.Min(minimum, minima[lane]);
            maximum = MathF.Max(maximum, maxima[lane]);
        }
        for (; i < values.Length; i++)
        {
            minimum = MathF.Min(minimum, values[i]);
            maximum = MathF.Max(maximum, values[i]);
        }
        if (!float.IsFinite(minimum) || !float.IsFinite(maximum))
            throw new ArithmeticException("A weight is infinite or not a number; it cannot be quantised.");
        return (minimum, maximum);
    }
}
