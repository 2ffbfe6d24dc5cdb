using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
    // Clipping below 0.6 of the range never won on trained weights; above 1.02 least squares arrives by itself. A step of 0.04 gains
    // nothing more and costs half as much time again.
    private const float SmallestFactor = 0.6f;
    private const float FactorStep = 0.06f;
    private const int Factors = 8;

    /// <summary>The scale for a group: representable in half precision, never zero; negative when the range −7…8 fits better.</summary>
    /// <exception cref="ArithmeticException">A weight is not a finite number.</exception>
    public static float Choose(ReadOnlySpan<float> weights)
    {
        (float minimum, float maximum) = VectorRange.MinimumMaximum(weights);
        float covering = MathF.Max(maximum / 7f, -minimum / 8f);
        float coveringNegative = -MathF.Max(maximum / 8f, -minimum / 7f);
        float best = covering;
        // Groups of next to nothing: the search would divide by zero, and no scale matters.
        if (covering < (float)Half.Epsilon)
            return ToHalf(best);
        float bestGain = float.NegativeInfinity;
        for (int factor = 0; factor < Factors; factor++)
        {
            float part = SmallestFactor + factor * FactorStep;
            Try(weights, covering * part, coveringNegative * part, ref best, ref bestGain);
        }
        // The improved scale gives other codes, which have a better scale again.
        Try(weights, best, -best, ref best, ref bestGain);
        return ToHalf(best);
    }

    /// <summary>The nearest half-precision value with the same sign, kept away from zero and infinity.</summary>
    internal static float ToHalf(float scale)
    {
        float magnitude = (float)(Half)Math.Clamp(MathF.Abs(scale), (float)Half.Epsilon, (float)Half.MaxValue);
        return MathF.CopySign(magnitude, scale);
    }

    private static void Try(ReadOnlySpan<float> weights, float scale, float otherScale, ref float best, ref float bestGain)
    {
        Correlations sums = Correlate(weights, 1f / scale, 1f / otherScale);
        Consider(sums.CodesByWeights, sums.CodesSquared, ref best, ref bestGain);
        Consider(sums.OtherCodesByWeights, sums.OtherCodesSquared, ref best, ref bestGain);
    }

    private static void Consider(float codesByWeights, float codesSquared, ref float best, ref float bestGain)
    {
        float scale = codesByWeights / codesSquared;
        float gain = codesByWeights * scale;
        // All codes zero gives NaN, which is not greater.
        if (gain > bestGain)
        {
            bestGain = gain;
            best = scale;
        }
    }

    /// <summary>Σqw and Σq² over the group, for the codes q that the reciprocals of two scales give.</summary>
    /// <remarks>Both in one pass: the weights are loaded once, and four independent sums hide the latency of the additions.</remarks>
    private static Correlations Correlate(ReadOnlySpan<float> weights, float reciprocal, float otherReciprocal)
    {
        Vector512<float> byWeights = default, squared = default, otherByWeights = default, otherSquared = default;
        ref float first = ref MemoryMarshal.GetReference(weights);
        int i = 0;
        for (; i <= weights.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            Vector512<float> weight = Vector512.LoadUnsafe(ref first, (nuint)i);
            Vector512<float> code = Code(weight * reciprocal);
            Vector512<float> otherCode = Code(weight * otherReciprocal);
            byWeights = Vector512.FusedMultiplyAdd(code, weight, byWeights);
            squared = Vector512.FusedMultiplyAdd(code, code, squared);
            otherByWeights = Vector512.FusedMultiplyAdd(otherCode, weight, otherByWeights);
            otherSquared = Vector512.FusedMultiplyAdd(otherCode, otherCode, otherSquared);
        }
        var sums = new Correlations(Vector512.Sum(byWeights), Vector512.Sum(squared), Vector512.Sum(otherByWeights), Vector512.Sum(otherSquared));
        for (; i < weights.Length; i++)
        {
            float code = Math.Clamp(MathF.Round(weights[i] * reciprocal), -8f, 7f);
            float otherCode = Math.Clamp(MathF.Round(weights[i] * otherReciprocal), -8f, 7f);
            sums = new Correlations(
                sums.CodesByWeights + code * weights[i], sums.CodesSquared + code * code,
                sums.OtherCodesByWeights + otherCode * weights[i], sums.OtherCodesSquared + otherCode * otherCode);
        }
        return sums;
    }

    // The weights are finite, so what the native instructions do with NaN does not matter.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Code(Vector512<float> quotient) =>
        Vector512.MinNative(Vector512.MaxNative(Vector512.Round(quotient), Vector512.Create(-8f)), Vector512.Create(7f));

    private readonly record struct Correlations(float CodesByWeights, float CodesSquared, float OtherCodesByWeights, float OtherCodesSquared);
}
