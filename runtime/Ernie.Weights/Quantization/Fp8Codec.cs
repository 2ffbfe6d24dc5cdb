using System.Runtime.Intrinsics;

namespace Ernie.Weights;

/// <summary>FP8 e4m3 (the "fn" variant: no infinities, NaN is 0x7F and 0xFF, largest value 448) ↔ f32.</summary>
/// <remarks>Source: Micikevicius et al., FP8 Formats for Deep Learning, arXiv:2209.05433, table 1.</remarks>
public static class Fp8Codec
{
    /// <summary>The largest finite value.</summary>
    public const float MaxValue = 448f;

    // 2^-9, the distance between subnormal e4m3 values; below 2^-6 all values are multiples of it.
    private const float SubnormalStep = 1f / 512f;
    private const float SmallestNormal = 1f / 64f;

    private static readonly float[] s_values = BuildValues();

    /// <summary>The 256 values by code, NaN included.</summary>
    public static ReadOnlySpan<float> Values => s_values;

    /// <summary>The value of a code; exact.</summary>
    /// <param name="code">The 8 bits.</param>
    public static float Decode(byte code) => s_values[code];

    /// <summary>The code nearest to a value, ties to even, saturated to ±448; NaN stays NaN.</summary>
    /// <param name="value">Any f32.</param>
    public static byte Encode(float value)
    {
        uint sign = BitConverter.SingleToUInt32Bits(value) >> 24 & 0x80;
        if (float.IsNaN(value))
            return (byte)(sign | 0x7F);
        float magnitude = MathF.Min(MathF.Abs(value), MaxValue);
        if (magnitude < SmallestNormal)
            return (byte)(sign | (uint)MathF.Round(magnitude / SubnormalStep));   // 8 is the smallest normal's code
        uint bits = BitConverter.SingleToUInt32Bits(magnitude);
        bits += 0x7FFFF + (bits >> 20 & 1);
        return (byte)(sign | ((bits >> 20) - ((127 - 7) << 3)));
    }

    /// <summary>Encodes source / divisor, each to the nearest code, ties to even, saturated.</summary>
    internal static void EncodeQuotient(ReadOnlySpan<float> source, float divisor, Span<byte> destination)
    {
        Vector512<float> divisors = Vector512.Create(divisor);
        int i = 0;
        for (; i <= source.Length - Vector512<byte>.Count; i += Vector512<byte>.Count)
        {
            Vector512<uint> a = Encode(Vector512.Create(source[i..]) / divisors);
            Vector512<uint> b = Encode(Vector512.Create(source[(i + 16)..]) / divisors);
            Vector512<uint> c = Encode(Vector512.Create(source[(i + 32)..]) / divisors);
            Vector512<uint> d = Encode(Vector512.Create(source[(i + 48)..]) / divisors);
            Vector512.Narrow(Vector512.Narrow(a, b), Vector512.Narrow(c, d)).CopyTo(destination[i..]);
        }
        for (; i < source.Length; i++)
            destination[i] = Encode(source[i] / divisor);
    }

    /// <summary>The codes nearest to 16 values, ties to even, saturated to ±448; each in an element of its own.</summary>
    /// <param name="value">No NaN.</param>
    /// <remarks>The same steps as the scalar one, both branches computed.</remarks>
    public static Vector512<uint> Encode(Vector512<float> value)
    {
        Vector512<uint> sign = value.AsUInt32() >> 24 & Vector512.Create(0x80u);
        Vector512<float> magnitude = Vector512.Min(Vector512.Abs(value), Vector512.Create(MaxValue));
        Vector512<uint> subnormal = Vector512.ConvertToInt32(Vector512.Round(magnitude / Vector512.Create(SubnormalStep))).AsUInt32();
        Vector512<uint> bits = magnitude.AsUInt32();
        bits += Vector512.Create(0x7FFFFu) + (bits >> 20 & Vector512<uint>.One);
        Vector512<uint> normal = (bits >> 20) - Vector512.Create((127u - 7u) << 3);
        Vector512<uint> isSubnormal = Vector512.LessThan(magnitude, Vector512.Create(SmallestNormal)).AsUInt32();
        return sign | Vector512.ConditionalSelect(isSubnormal, subnormal, normal);
    }

    private static float[] BuildValues()
    {
        var values = new float[256];
        // float.NaN has its sign bit set; code 0x7F has not.
        float positiveNaN = BitConverter.UInt32BitsToSingle(0x7FC00000);
        for (int code = 0; code < values.Length; code++)
        {
            int exponent = code >> 3 & 0xF;
            int mantissa = code & 7;
            float magnitude = exponent == 0xF && mantissa == 7 ? positiveNaN
                : exponent == 0 ? mantissa * SubnormalStep
                : MathF.ScaleB(1f + mantissa / 8f, exponent - 7);
            values[code] = code < 128 ? magnitude : -magnitude;
        }
        return values;
    }
}
