using System.Runtime.Intrinsics;

namespace Ernie.Weights;

/// <summary>Symmetric int8 with one scale per row: scale = absmax / 127, element = round half to even of weight / scale.</summary>
public static class Int8Quantizer
{
    /// <summary>Quantises one row.</summary>
    /// <param name="source">[columns] f32 weights.</param>
    /// <param name="destination">[columns] elements, −127…127; overwritten.</param>
    /// <returns>The scale; 1 for a row of zeros.</returns>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than <paramref name="source"/>.</exception>
    /// <exception cref="ArithmeticException">A weight is not a finite number.</exception>
    public static float Quantize(ReadOnlySpan<float> source, Span<sbyte> destination)
    {
        if (destination.Length < source.Length)
            throw new ArgumentException($"{source.Length} elements do not fit in {destination.Length}.", nameof(destination));
        float scale = VectorRange.AbsoluteMaximum(source) / 127f;
        // A subnormal quotient would make weight / scale overflow; such a row is zero for every purpose.
        if (!float.IsNormal(scale))
            scale = 1f;
        int i = 0;
        Vector512<float> divisor = Vector512.Create(scale);
        for (; i <= source.Length - Vector512<sbyte>.Count; i += Vector512<sbyte>.Count)
        {
            Vector512<int> a = Round(source[i..], divisor);
            Vector512<int> b = Round(source[(i + 16)..], divisor);
            Vector512<int> c = Round(source[(i + 32)..], divisor);
            Vector512<int> d = Round(source[(i + 48)..], divisor);
            Vector512.Narrow(Vector512.Narrow(a, b), Vector512.Narrow(c, d)).CopyTo(destination[i..]);
        }
        for (; i < source.Length; i++)
            destination[i] = (sbyte)Math.Clamp(MathF.Round(source[i] / scale), -127f, 127f);
        return scale;
    }

    /// <summary>Writes element × scale for each element.</summary>
    /// <param name="source">[columns] elements.</param>
    /// <param name="scale">The row's scale.</param>
    /// <param name="destination">[columns] f32; overwritten.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than <paramref name="source"/>.</exception>
    public static void Dequantize(ReadOnlySpan<sbyte> source, float scale, Span<float> destination)
    {
        if (destination.Length < source.Length)
            throw new ArgumentException($"{source.Length} elements do not fit in {destination.Length}.", nameof(destination));
        for (int i = 0; i < source.Length; i++)
            destination[i] = source[i] * scale;
    }

    private static Vector512<int> Round(ReadOnlySpan<float> source, Vector512<float> divisor)
    {
        Vector512<float> quotient = Vector512.Round(Vector512.Create(source) / divisor);
        return Vector512.ConvertToInt32(Vector512.Clamp(quotient, Vector512.Create(-127f), Vector512.Create(127f)));
    }
}
