using Ernie.Kernels;
using Ernie.Weights;

namespace Ernie.Testing;

/// <summary>What every backend makes of a token's values of one head in an 8-bit cache: codes and a factor, the largest magnitude being the largest code.</summary>
public static class KeyValueCodec
{
    /// <summary>Quantises.</summary>
    /// <param name="format">Float8 or Integer8.</param>
    /// <param name="values">Of one token and head, bf16 values.</param>
    /// <param name="codes">As many; overwritten.</param>
    /// <returns>The factor.</returns>
    public static float Quantize(KeyValueFormat format, ReadOnlySpan<float> values, Span<byte> codes)
    {
        float largest = 0, most = format == KeyValueFormat.Float8 ? 448 : 127;
        foreach (float value in values)
            largest = Math.Max(largest, Math.Abs(value));
        float inverse = largest > 0 ? most / largest : 0;
        for (int i = 0; i < values.Length; i++)
        {
            codes[i] = format == KeyValueFormat.Float8
                ? Fp8Codec.Encode(values[i] * inverse)
                : (byte)(sbyte)MathF.Round(values[i] * inverse, MidpointRounding.ToEven);
        }

        return largest / most;
    }

    /// <summary>What the codes stand for.</summary>
    /// <param name="format">Float8 or Integer8.</param>
    /// <param name="codes">Of one token and head.</param>
    /// <param name="factor">Their factor.</param>
    /// <param name="values">As many; overwritten.</param>
    public static void Dequantize(KeyValueFormat format, ReadOnlySpan<byte> codes, float factor, Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = factor * (format == KeyValueFormat.Float8 ? Fp8Codec.Decode(codes[i]) : (sbyte)codes[i]);
    }
}
