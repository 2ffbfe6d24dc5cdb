using System.Runtime.Intrinsics;

namespace Ernie.Weights;

/// <summary>
/// Chooses the scale of one group of int4 weights so that the squared error is small: candidates between clipping hard and
/// not at all, for both signs of the scale, each improved by least squares.
/// </summary>
/// <remarks>
/// For codes q fixed, the scale that loses least is s = Σqw / Σq², and the loss is Σw² − (Σqw)² / Σq²: one pass over the group judges
/// a candidate together with its improvement. Against scale = max(max / 7, −min / 8) this removes a quarter of the squared error on
/// trained weights. Weighting the error by |w| or by the norm in front of the layer was tried and is no better (docs/quantization.md).
/// </remarks>
internal static class Int4ScaleSearch
{
    // Clipping below 0.6 of the range never won on trained weights; above 1 least squares arrives by itself.
    private const float SmallestFactor = 0.6f;
    private const float FactorStep = 0.04f;
    private const int Factors = 12;

    /// <summary>The scale for a group: representable in half precision, never zero; negative when the range −7…8 fits better.</summary>
    /// <exception cref="ArithmeticException">A weight is not a finite number.</exception>
    public static float Choose(ReadOnlySpan<float> weights)
    {
        (float minimum, float maximum) = VectorRange.MinimumMaximum(weights);
        float covering = MathF.Max(maximum / 7f, -minimum / 8f);
        float coveringNegative = -MathF.Max(maximum / 8f, -minimum / 7f);
        // Groups of next to nothing: the search would divide by zero, and no scale matters.
        if (covering < (float)Half.Epsilon)
            return ToHalf(covering);
        float best = ToHalf(covering);
        float bestGain = float.NegativeInfinity;
        for (int factor = 0; factor < Factors; factor++)
        {
            float part = SmallestFactor + factor * FactorStep;
            Consider(weights, covering * part, ref best, ref bestGain);
            Consider(weights, coveringNegative * part, ref best, ref bestGain);
        }
        return ToHalf(best);
    }

    /// <summary>The nearest half-precision value with the same sign, kept away from zero and infinity.</summary>
    internal static float ToHalf(float scale)
    {
        float magnitude = (float)(Half)Math.Clamp(MathF.Abs(scale), (float)Half.Epsilon, (float)Half.MaxValue);
        return MathF.CopySign(magnitude, scale);
    }

    private static void Consider(ReadOnlySpan<float> weights, float scale, ref float best, ref float bestGain)
    {
        (float codesByWeights, float codesSquared) = Correlate(weights, 1f / scale);
        float gain = codesByWeights * codesByWeights / codesSquared;
        // All codes zero gives NaN, which is not greater.
        if (gain > bestGain)
        {
            bestGain = gain;
            best = codesByWeights / codesSquared;
        }
    }

    /// <summary>Σqw and Σq² over the group, for the codes q that the reciprocal of a scale gives.</summary>
    private static (float CodesByWeights, float CodesSquared) Correlate(ReadOnlySpan<float> weights, float reciprocal)
    {
        Vector512<float> byWeights = Vector512<float>.Zero;
        Vector512<float> squared = Vector512<float>.Zero;
        Vector512<float> smallest = Vector512.Create(-8f);
        Vector512<float> largest = Vector512.Create(7f);
        int i = 0;
        for (; i <= weights.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            Vector512<float> weight = Vector512.Create(weights[i..]);
            // The weights are finite, so the native order of operands for NaN does not matter.
            Vector512<float> code = Vector512.MinNative(Vector512.MaxNative(Vector512.Round(weight * reciprocal), smallest), largest);
            byWeights = Vector512.FusedMultiplyAdd(code, weight, byWeights);
            squared = Vector512.FusedMultiplyAdd(code, code, squared);
        }
        float codesByWeights = Vector512.Sum(byWeights);
        float codesSquared = Vector512.Sum(squared);
        for (; i < weights.Length; i++)
        {
            float code = Math.Clamp(MathF.Round(weights[i] * reciprocal), -8f, 7f);
            codesByWeights += code * weights[i];
            codesSquared += code * code;
        }
        return (codesByWeights, codesSquared);
    }
}
