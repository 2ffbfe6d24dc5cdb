namespace Ernie.Weights;

/// <summary>Block-wise FP8: e4m3 elements with one scale per 128 × 128 block, scale = absmax / 448.</summary>
public static class Fp8Quantizer
{
    /// <summary>Quantises the rows of one row of blocks.</summary>
    /// <param name="source">[rowCount, columns] f32 weights, rowCount ≤ 128.</param>
    /// <param name="columns">Columns of a row.</param>
    /// <param name="destination">[rowCount, columns] e4m3 codes; overwritten.</param>
    /// <param name="scales">[columns / 128 rounded up]; overwritten; 1 for a block of zeros.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    /// <exception cref="ArithmeticException">A weight is not a finite number.</exception>
    public static void QuantizeRowBlock(ReadOnlySpan<float> source, int columns, Span<byte> destination, Span<float> scales)
    {
        int columnBlocks = (columns + Fp8Matrix.BlockSize - 1) / Fp8Matrix.BlockSize;
        int rows = columns == 0 ? 0 : source.Length / columns;
        if (rows > Fp8Matrix.BlockSize || rows * columns != source.Length || destination.Length < source.Length || scales.Length < columnBlocks)
            throw new ArgumentException($"{source.Length} elements are not at most {Fp8Matrix.BlockSize} rows of {columns} columns with room for codes and {columnBlocks} scales.");
        for (int block = 0; block < columnBlocks; block++)
        {
            int first = block * Fp8Matrix.BlockSize;
            int width = Math.Min(Fp8Matrix.BlockSize, columns - first);
            float maximum = 0f;
            for (int row = 0; row < rows; row++)
                maximum = MathF.Max(maximum, VectorRange.AbsoluteMaximum(source.Slice(row * columns + first, width)));
            float scale = maximum / Fp8Codec.MaxValue;
            if (!float.IsNormal(scale))
                scale = 1f;
            scales[block] = scale;
            for (int row = 0; row < rows; row++)
                Fp8Codec.EncodeQuotient(source.Slice(row * columns + first, width), scale, destination.Slice(row * columns + first, width));
        }
    }

    /// <summary>Writes value × scale for each element of a row.</summary>
    /// <param name="source">[columns] e4m3 codes.</param>
    /// <param name="scales">[columns / 128 rounded up] scales of the row's blocks.</param>
    /// <param name="destination">[columns] f32; overwritten.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than <paramref name="source"/>.</exception>
    public static void DequantizeRow(ReadOnlySpan<byte> source, ReadOnlySpan<float> scales, Span<float> destination)
    {
        if (destination.Length < source.Length)
            throw new ArgumentException($"{source.Length} elements do not fit in {destination.Length}.", nameof(destination));
        ReadOnlySpan<float> values = Fp8Codec.Values;
        for (int i = 0; i < source.Length; i++)
            destination[i] = values[source[i]] * scales[i / Fp8Matrix.BlockSize];
    }
}
