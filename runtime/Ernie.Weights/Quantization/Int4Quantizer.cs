using System.Runtime.Intrinsics;

namespace Ernie.Weights;

/// <summary>Symmetric int4 by groups of columns: weight ≈ (nibble − 8) × scale, two nibbles a byte, the even column low.</summary>
public static class Int4Quantizer
{
    /// <summary>Quantises one row.</summary>
    /// <param name="source">[columns] f32 weights.</param>
    /// <param name="groupSize">Columns per scale; even, divides the columns.</param>
    /// <param name="destination">[columns / 2] packed nibbles; overwritten.</param>
    /// <param name="scales">[columns / groupSize]; overwritten; each is representable in half precision.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    /// <exception cref="ArithmeticException">A weight is not a finite number.</exception>
    public static void QuantizeRow(ReadOnlySpan<float> source, int groupSize, Span<byte> destination, Span<float> scales)
    {
        if (groupSize <= 0 || groupSize % 2 != 0 || source.Length % groupSize != 0)
            throw new ArgumentException($"{source.Length} columns are not groups of an even {groupSize}.", nameof(groupSize));
        if (destination.Length < source.Length / 2 || scales.Length < source.Length / groupSize)
            throw new ArgumentException($"{source.Length} columns do not fit in {destination.Length} bytes and {scales.Length} scales.", nameof(destination));
        for (int group = 0; group < source.Length / groupSize; group++)
        {
            ReadOnlySpan<float> weights = source.Slice(group * groupSize, groupSize);
            float scale = Int4ScaleSearch.Choose(weights);
            scales[group] = scale;
            Pack(weights, scale, destination.Slice(group * groupSize / 2, groupSize / 2));
        }
    }

    /// <summary>Writes (nibble − 8) × scale for each element of a row.</summary>
    /// <param name="source">[columns / 2] packed nibbles.</param>
    /// <param name="scales">[columns / groupSize].</param>
    /// <param name="groupSize">Columns per scale.</param>
    /// <param name="destination">[columns] f32; overwritten.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than the row.</exception>
    public static void Dequantize(ReadOnlySpan<byte> source, ReadOnlySpan<float> scales, int groupSize, Span<float> destination)
    {
        if (destination.Length < 2 * source.Length)
            throw new ArgumentException($"{2 * source.Length} elements do not fit in {destination.Length}.", nameof(destination));
        for (int i = 0; i < source.Length; i++)
        {
            float scale = scales[2 * i / groupSize];
            destination[2 * i] = ((source[i] & 0xF) - 8) * scale;
            destination[2 * i + 1] = ((source[i] >> 4) - 8) * scale;
        }
    }

    private static void Pack(ReadOnlySpan<float> weights, float scale, Span<byte> destination)
    {
        int i = 0;
        Vector512<float> divisor = Vector512.Create(scale);
        // Each 64-bit lane holds two consecutive columns as 32-bit integers: shifted together they make one byte.
        for (; i <= weights.Length - 32; i += 32)
        {
            Vector512<ulong> low = PairBytes(Vector512.Create(weights[i..]), divisor);
            Vector512<ulong> high = PairBytes(Vector512.Create(weights[(i + 16)..]), divisor);
            Vector512<uint> pairs = Vector512.Narrow(low, high);
            Vector256<ushort> halves = Vector256.Narrow(pairs.GetLower(), pairs.GetUpper());
            Vector128.Narrow(halves.GetLower(), halves.GetUpper()).CopyTo(destination[(i / 2)..]);
        }
        for (; i < weights.Length; i += 2)
            destination[i / 2] = (byte)(Nibble(weights[i], scale) | Nibble(weights[i + 1], scale) << 4);
    }

    private static Vector512<ulong> PairBytes(Vector512<float> weights, Vector512<float> divisor)
    {
        Vector512<float> rounded = Vector512.Clamp(Vector512.Round(weights / divisor), Vector512.Create(-8f), Vector512.Create(7f));
        Vector512<ulong> pairs = (Vector512.ConvertToInt32(rounded) + Vector512.Create(8)).AsUInt64();
        return (pairs | pairs >> 28) & Vector512.Create(0xFFul);
    }

    private static int Nibble(float weight, float scale) => (int)Math.Clamp(MathF.Round(weight / scale), -8f, 7f) + 8;
}
