namespace Ernie.Weights.Tests;

public sealed class QuantizerTests
{
    private static readonly int[] s_lengths = [0, 1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200];

    [Fact]
    public void BFloat16_EveryCode_SurvivesDecodingAndEncoding()
    {
        ushort[] codes = [.. Enumerable.Range(0, 65536).Select(code => (ushort)code)];
        var values = new float[codes.Length];
        var back = new ushort[codes.Length];

        BFloat16Codec.Decode(codes, values);
        BFloat16Codec.Encode(values, back);

        for (int code = 0; code < codes.Length; code++)
        {
            Assert.Equal(BFloat16Codec.Decode(codes[code]), values[code]);
            if (float.IsNaN(values[code]))
                Assert.True(float.IsNaN(BFloat16Codec.Decode(back[code])));
            else
                Assert.Equal(codes[code], back[code]);
        }
    }

    [Fact]
    public void BFloat16_BetweenTwoCodes_RoundsToTheNearestAndTiesToEven()
    {
        // 1 + 2^-8 lies between 0x3F80 and 0x3F81; 1 + 3·2^-8 between 0x3F81 and 0x3F82.
        Assert.Equal(0x3F80, BFloat16Codec.Encode(1f + 1f / 256));
        Assert.Equal(0x3F81, BFloat16Codec.Encode(MathF.BitIncrement(1f + 1f / 256)));
        Assert.Equal(0x3F82, BFloat16Codec.Encode(1f + 3f / 256));
        Assert.Equal(0x3F81, BFloat16Codec.Encode(MathF.BitDecrement(1f + 3f / 256)));
        Assert.Equal(0x7F80, BFloat16Codec.Encode(float.MaxValue));
    }

    [Fact]
    public void BFloat16_SpanOfAnyLength_EqualsTheScalar()
    {
        foreach (int length in s_lengths)
        {
            float[] values = Gaussian(length, seed: length + 1);
            var encoded = new ushort[length];

            BFloat16Codec.Encode(values, encoded);

            Assert.Equal(values.Select(BFloat16Codec.Encode), encoded);
        }
    }

    [Fact]
    public void Fp8_EveryCode_SurvivesDecodingAndEncoding()
    {
        for (int code = 0; code < 256; code++)
        {
            float value = Fp8Codec.Decode((byte)code);
            Assert.Equal((byte)code, Fp8Codec.Encode(value));
        }
        Assert.Equal((448f, 1f / 512, 1.125f), (Fp8Codec.Decode(0x7E), Fp8Codec.Decode(1), Fp8Codec.Decode(0x39)));
    }

    [Fact]
    public void Fp8_AnyValue_EncodesToTheNearestCodeTiesToEven()
    {
        var random = new Random(5);
        for (int number = 0; number < 20_000; number++)
        {
            // Half of them exact midpoints between neighbouring codes.
            int code = random.Next(0x7E);
            double low = Fp8Codec.Decode((byte)code);
            double high = Fp8Codec.Decode((byte)(code + 1));
            double value = number % 2 == 0 ? (low + high) / 2 : low + (high - low) * random.NextSingle();
            int nearest = (float)value - low < high - (float)value ? code
                : (float)value - low > high - (float)value ? code + 1
                : code % 2 == 0 ? code : code + 1;

            Assert.Equal((byte)nearest, Fp8Codec.Encode((float)value));
            Assert.Equal((byte)(nearest | 0x80), Fp8Codec.Encode(-(float)value));
        }
        Assert.Equal((0x7E, 0xFE, 0x7E), (Fp8Codec.Encode(449f), Fp8Codec.Encode(float.NegativeInfinity), Fp8Codec.Encode(1e30f)));
    }

    [Fact]
    public void Fp8_RowBlockOfAnyWidth_EqualsTheScalarDefinition()
    {
        foreach (int columns in (int[])[1, 64, 127, 128, 129, 300])
        {
            const int Rows = 5;
            float[] values = Gaussian(Rows * columns, seed: columns);
            int blocks = (columns + 127) / 128;
            var codes = new byte[values.Length];
            var scales = new float[blocks];

            Fp8Quantizer.QuantizeRowBlock(values, columns, codes, scales);

            for (int i = 0; i < values.Length; i++)
            {
                int block = i % columns / 128;
                float maximum = Enumerable.Range(0, values.Length).Where(k => k % columns / 128 == block).Max(k => MathF.Abs(values[k]));
                Assert.Equal(maximum / 448f, scales[block]);
                Assert.Equal(Fp8Codec.Encode(values[i] / scales[block]), codes[i]);
            }
        }
    }

    [Fact]
    public void Int8_RowOfAnyLength_EqualsTheScalarDefinition()
    {
        foreach (int length in s_lengths)
        {
            float[] values = Gaussian(length, seed: length);
            var codes = new sbyte[length];

            float scale = Int8Quantizer.Quantize(values, codes);

            Assert.Equal(length == 0 ? 1f : values.Max(MathF.Abs) / 127f, scale);
            for (int i = 0; i < length; i++)
                Assert.Equal(Math.Clamp(MathF.Round(values[i] / scale, MidpointRounding.ToEven), -127, 127), codes[i]);
        }
    }

    [Theory]
    [InlineData(128, 256)]
    [InlineData(64, 256)]
    [InlineData(16, 16)]
    [InlineData(34, 34)]
    [InlineData(2, 2)]
    public void Int4_Row_IsPackedLowNibbleFirstAndNearestToItsWeights(int groupSize, int columns)
    {
        float[] values = Gaussian(columns, seed: columns + groupSize);
        var packed = new byte[columns / 2];
        var scales = new float[columns / groupSize];
        var restored = new float[columns];

        Int4Quantizer.QuantizeRow(values, groupSize, packed, scales);
        Int4Quantizer.Dequantize(packed, scales, groupSize, restored);

        for (int i = 0; i < columns; i++)
        {
            float scale = scales[i / groupSize];
            int nibble = i % 2 == 0 ? packed[i / 2] & 0xF : packed[i / 2] >> 4;
            Assert.Equal((float)(Half)scale, scale);
            Assert.Equal(Math.Clamp(MathF.Round(values[i] / scale), -8, 7) + 8, nibble);
            Assert.Equal((nibble - 8) * scale, restored[i]);
        }
    }

    [Fact]
    public void Int4_GaussianGroups_LoseAFifthLessThanTheCoveringScale()
    {
        const int Groups = 500;
        float[] values = Gaussian(Groups * 128, seed: 11);
        double searched = 0;
        double covering = 0;
        for (int group = 0; group < Groups; group++)
        {
            float[] weights = values[(group * 128)..((group + 1) * 128)];
            searched += SquaredError(weights, Int4ScaleSearch.Choose(weights));
            covering += SquaredError(weights, MathF.Max(weights.Max() / 7, -weights.Min() / 8));
        }

        Assert.InRange(searched / covering, 0, 0.8);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1e-12f)]
    [InlineData(1e6f)]
    [InlineData(3e38f)]
    public void Quantizers_ExtremeMagnitudes_GiveFiniteWeights(float magnitude)
    {
        float[] values = [.. Gaussian(128, seed: 3).Select(value => Math.Clamp(value, -1, 1) * magnitude)];
        var restored = new float[128];
        var packed = new byte[64];
        var codes = new byte[128];
        var scales = new float[1];
        var elements = new sbyte[128];

        Int4Quantizer.QuantizeRow(values, 128, packed, scales);
        Int4Quantizer.Dequantize(packed, scales, 128, restored);
        Assert.All(restored, value => Assert.True(float.IsFinite(value)));
        Fp8Quantizer.QuantizeRowBlock(values, 128, codes, scales);
        Fp8Quantizer.DequantizeRow(codes, scales, restored);
        Assert.All(restored, value => Assert.True(float.IsFinite(value)));
        Int8Quantizer.Dequantize(elements, Int8Quantizer.Quantize(values, elements), restored);
        Assert.All(restored, value => Assert.True(float.IsFinite(value)));
    }

    [Theory]
    [InlineData(float.NaN, 0)]
    [InlineData(float.NaN, 130)]
    [InlineData(float.NegativeInfinity, 7)]
    public void Quantizers_NotANumber_IsRefused(float value, int position)
    {
        float[] values = Gaussian(132, seed: 2);
        values[position] = value;

        Assert.Throws<ArithmeticException>(() => Int8Quantizer.Quantize(values, new sbyte[132]));
        Assert.Throws<ArithmeticException>(() => Int4Quantizer.QuantizeRow(values, 132, new byte[66], new float[1]));
        Assert.Throws<ArithmeticException>(() => Fp8Quantizer.QuantizeRowBlock(values, 132, new byte[132], new float[2]));
    }

    private static double SquaredError(float[] weights, float scale) =>
        weights.Sum(weight => Math.Pow(Math.Clamp(MathF.Round(weight / scale), -8, 7) * (double)scale - weight, 2));

    private static float[] Gaussian(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => (float)(0.02 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}
