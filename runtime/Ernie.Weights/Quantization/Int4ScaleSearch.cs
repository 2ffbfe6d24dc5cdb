namespace Ernie.Weights;

/// <summary>Chooses the scale of one group of int4 weights.</summary>
internal static class Int4ScaleSearch
{
    /// <summary>The scale for a group: representable in half precision, never zero.</summary>
    /// <exception cref="ArithmeticException">A weight is not a finite number.</exception>
    public static float Choose(ReadOnlySpan<float> weights)
    {
        (float minimum, float maximum) = VectorRange.MinimumMaximum(weights);
        return ToHalf(MathF.Max(maximum / 7f, -minimum / 8f));
    }

    /// <summary>The nearest half-precision value with the same sign, kept away from zero and infinity.</summary>
    internal static float ToHalf(float scale)
    {
        float magnitude = (float)(Half)Math.Clamp(MathF.Abs(scale), (float)Half.Epsilon, (float)Half.MaxValue);
        return MathF.CopySign(magnitude, scale);
    }
}
