using Ernie.Cuda.Execution;
using Ernie.Cuda.Memory;
using Ernie.Kernels;
using Ernie.Weights;

namespace Ernie.Gpu.Tests;

/// <summary>Rows of e4m3 codes with a factor per token and 128 values, as the kernels of float8.cuh have them, on the host.</summary>
internal sealed class QuantizedInput
{
    public const int BlockWidth = 128;

    private QuantizedInput(int width, int tokenCount, byte[] codes, float[] factors)
    {
        Width = width;
        TokenCount = tokenCount;
        Codes = codes;
        Factors = factors;
    }

    public int Width { get; }

    public int TokenCount { get; }

    /// <summary>[tokens, width] in natural order.</summary>
    public byte[] Codes { get; }

    /// <summary>[tokens, width / 128].</summary>
    public float[] Factors { get; }

    /// <summary>Tokens from one block's factors to the next on the device.</summary>
    public int Stride => StrideOf(TokenCount);

    public static int StrideOf(int tokenCount) => 
        (tokenCount + LinearTile.Float8TokenMultiple - 1) / LinearTile.Float8TokenMultiple * LinearTile.Float8TokenMultiple;

    /// <summary>Quantises rows as the definition has it: the largest of 128 becomes 448, values go to the nearest code.</summary>
    public static QuantizedInput Quantize(ReadOnlySpan<float> values, int width)
    {
        byte[] codes = new byte[values.Length];
        float[] factors = new float[values.Length / BlockWidth];
        for (int block = 0; block < factors.Length; block++)
        {
            ReadOnlySpan<float> source = values.Slice(block * BlockWidth, BlockWidth);
            float largest = 0;
            foreach (float value in source)
                largest = MathF.Max(largest, MathF.Abs(value));
            factors[block] = largest / Fp8Codec.MaxValue;
            for (int i = 0; i < BlockWidth; i++)
                codes[(block * BlockWidth) + i] = Fp8Codec.Encode(largest > 0 ? source[i] / factors[block] : 0);
        }

        return new QuantizedInput(width, values.Length / width, codes, factors);
    }

    /// <summary>Reads back what a kernel wrote.</summary>
    public static QuantizedInput Download(CudaStream stream, in QuantizedRows rows, int width, int tokenCount)
    {
        byte[] packed = new byte[tokenCount * width], codes = new byte[packed.Length];
        stream.Download<byte>(packed, rows.Codes);
        int[] order = Order();
        for (int i = 0; i < packed.Length; i++)
            codes[(i / order.Length * order.Length) + order[i % order.Length]] = packed[i];
        int blocks = width / BlockWidth;
        float[] transposed = new float[blocks * rows.Stride], factors = new float[blocks * tokenCount];
        stream.Download<float>(transposed, rows.Factors);
        for (int token = 0; token < tokenCount; token++)
        {
            for (int block = 0; block < blocks; block++)
                factors[(token * blocks) + block] = transposed[(block * rows.Stride) + token];
        }

        return new QuantizedInput(width, tokenCount, codes, factors);
    }

    /// <summary>Room for rows on the device: codes no kernel writes (NaN) and as much behind them.</summary>
    public static QuantizedRows Empty(DeviceArena arena, CudaStream stream, int width, int tokenCount)
    {
        int stride = StrideOf(tokenCount);
        return new QuantizedRows
        {
            Codes = LinearKernelTests.Upload<byte>(arena, stream, [.. Enumerable.Repeat((byte)0x7F, (tokenCount + 1) * width)]),
            Factors = LinearKernelTests.Upload<float>(arena, stream, [.. Enumerable.Repeat(float.NaN, width / BlockWidth * stride)]),
            Stride = stride,
        };
    }

    /// <summary>Puts the rows on the device; rows of NaN follow.</summary>
    public QuantizedRows Upload(DeviceArena arena, CudaStream stream, int moreRows)
    {
        byte[] packed = [.. Enumerable.Repeat((byte)0x7F, (TokenCount + moreRows) * Width)];
        for (int token = 0; token < TokenCount; token++)
            WeightPacking.PackBytes(Codes.AsSpan(token * Width, Width), packed.AsSpan(token * Width, Width));
        int blocks = Width / BlockWidth;
        float[] factors = [.. Enumerable.Repeat(float.NaN, blocks * Stride)];
        for (int token = 0; token < TokenCount; token++)
        {
            for (int block = 0; block < blocks; block++)
                factors[(block * Stride) + token] = Factors[(token * blocks) + block];
        }

        return new QuantizedRows
        {
            Codes = LinearKernelTests.Upload(arena, stream, packed), Factors = LinearKernelTests.Upload(arena, stream, factors), Stride = Stride,
        };
    }

    /// <summary>What the codes stand for, [tokens, width].</summary>
    public float[] Decode() => [.. Codes.Select((code, index) => Fp8Codec.Decode(code) * Factors[index / BlockWidth])];

    // Natural place of each packed byte of 64.
    private static int[] Order()
    {
        byte[] natural = [.. Enumerable.Range(0, WeightPacking.ByteChunk).Select(index => (byte)index)], packed = new byte[natural.Length];
        WeightPacking.PackBytes(natural, packed);
        return [.. packed.Select(value => (int)value)];
    }
}
