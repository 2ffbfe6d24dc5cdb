using System.Runtime.Intrinsics;
using Ernie.Cpu.Attention;
using Ernie.Cpu.Memory;
using Ernie.Cpu.Operations;
using Ernie.Kernels;
using Ernie.Testing;
using Ernie.Weights;

namespace Ernie.Cpu.Tests;

/// <summary>What 8-bit caches hold, bit by bit: the codec is the one that GPU tests compare with.</summary>
public sealed unsafe class CacheElementTests
{
    private const int Tokens = 70, Heads = 2, HeadDim = 128, TokensPerPage = 64, Pages = 5;

    private static readonly int[] s_pageTable = [3, 0];

    [Fact]
    public void Float8_AnyCode_IsReadExactly()
    {
        byte[] codes = [.. Enumerable.Range(0, 256).Select(code => (byte)code).Where(code => (code & 0x7F) != 0x7F), 0, 0];

        AssertReads<byte, Float8Element>(codes, Fp8Codec.Decode);
    }

    [Fact]
    public void Integer8_AnyCode_IsReadExactly() =>
        AssertReads<sbyte, Integer8Element>([.. Enumerable.Range(-128, 256).Select(code => (sbyte)code)], code => code);

    [Fact]
    public void Store_Float8_IsTheCodecs() => AssertStored<byte, Float8Element>(KeyValueFormat.Float8);

    [Fact]
    public void Store_Integer8_IsTheCodecs() => AssertStored<sbyte, Integer8Element>(KeyValueFormat.Integer8);

    // Half a step: e4m3 has three bits behind the first, and below 2^-6 multiples of 2^-9; int8 has whole numbers. The factor itself and the
    // product with it are rounded to f32.
    [Theory]
    [InlineData(KeyValueFormat.Float8, 1.0 / 16, 1.0 / 1024)]
    [InlineData(KeyValueFormat.Integer8, 0, 0.5)]
    public void Codec_RoundTrip_IsHalfAStepAway(KeyValueFormat format, double relative, double absolute)
    {
        float[] values = BFloat16(Values(1, seed: 5)), actual = new float[HeadDim];
        byte[] codes = new byte[HeadDim];
        for (int head = 0; head < values.Length; head += HeadDim)
        {
            float factor = KeyValueCodec.Quantize(format, values.AsSpan(head, HeadDim), codes);
            KeyValueCodec.Dequantize(format, codes, factor, actual);

            for (int i = 0; i < HeadDim; i++)
            {
                double bound = Math.Max(relative * Math.Abs(values[head + i]), absolute * factor) + (448 * factor * 1e-6);
                Assert.True(Math.Abs(values[head + i] - actual[i]) <= bound, $"{values[head + i]} came back as {actual[i]}, factor {factor}.");
            }
        }
    }

    private static void AssertReads<TElement, TFormat>(TElement[] codes, Func<TElement, float> decode)
        where TElement : unmanaged
        where TFormat : ICacheElement<TElement>
    {
        float[] actual = new float[codes.Length];
        fixed (TElement* source = codes)
        {
            for (int i = 0; i < codes.Length; i += 16)
                TFormat.Load(source + i).CopyTo(actual, i);
        }

        Assert.Equal(codes.Select(decode), actual);
    }

    private static void AssertStored<TElement, TFormat>(KeyValueFormat format)
        where TElement : unmanaged
        where TFormat : ICacheElement<TElement>
    {
        float[] keys = Values(Tokens, seed: 11), values = Values(Tokens, seed: 12);
        // A head of zeros has no largest value, and rounding ties must go to even.
        keys.AsSpan(0, HeadDim).Clear();
        for (int i = 0; i < HeadDim; i++)
            values[i] = i - 64;
        using var keyRows = new RowStorage(Tokens, Heads * HeadDim);
        using var valueRows = new RowStorage(Tokens, Heads * HeadDim);
        keys.CopyTo(new Span<float>(keyRows.Pointer, keys.Length));
        values.CopyTo(new Span<float>(valueRows.Pointer, values.Length));
        using var pages = new KeyValuePages<TElement>(Pages, Heads, HeadDim, hasFactors: true);
        var store = new StoreOperation<TElement, TFormat>(
            new ValueBuffer(keyRows, 0, Heads * HeadDim), new ValueBuffer(valueRows, 0, Heads * HeadDim), Heads, pages)
        {
            Reads = [],
            Writes = [],
        };
        var slice = new SliceState(Tokens) { Segments = 1, PageTable = [.. s_pageTable.Select(page => new Caching.PageId(page))] };
        slice.SetCount(Tokens);
        slice.SegmentCount[0] = Tokens;
        for (int token = 0; token < Tokens; token++)
            slice.Position[token] = token;
        store.Prepare(workers: 1);

        store.Run(0, slice, 0);

        byte[] codes = new byte[HeadDim], expected = new byte[HeadDim];
        for (int token = 0; token < Tokens; token++)
        {
            for (int head = 0; head < Heads; head++)
            {
                int page = s_pageTable[token / TokensPerPage], slot = token % TokensPerPage, row = ((token * Heads) + head) * HeadDim;
                byte* stored = (byte*)pages.Keys(page, head);
                for (int i = 0; i < HeadDim; i++)
                    codes[i] = stored[(i * TokensPerPage) + slot];
                Assert.Equal(KeyValueCodec.Quantize(format, BFloat16(keys.AsSpan(row, HeadDim)), expected), pages.KeyFactors(page, head)[slot]);
                Assert.Equal(expected, codes);

                new Span<byte>(pages.Values(page, head) + (slot * HeadDim), HeadDim).CopyTo(codes);
                Assert.Equal(KeyValueCodec.Quantize(format, BFloat16(values.AsSpan(row, HeadDim)), expected), pages.ValueFactors(page, head)[slot]);
                Assert.Equal(expected, codes);
            }
        }

        // Behind the last token, and in pages of others, nothing was written.
        Assert.Equal(0, pages.KeyFactors(s_pageTable[1], 0)[Tokens - TokensPerPage]);
        Assert.Equal(new float[Heads * TokensPerPage], new Span<float>(pages.KeyFactors(1, 0), Heads * TokensPerPage).ToArray());
    }

    // f32 as the projections leave them: tokens differ in size.
    private static float[] Values(int tokens, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, tokens * Heads).SelectMany(vector => Enumerable.Range(0, HeadDim).Select(_ => (1 + (vector % 7)) * ((random.NextSingle() * 6) - 3)))];
    }

    private static float[] BFloat16(ReadOnlySpan<float> values)
    {
        float[] rounded = new float[values.Length];
        for (int i = 0; i < values.Length; i++)
            rounded[i] = BFloat16Codec.Decode(BFloat16Codec.Encode(values[i]));
        return rounded;
    }
}
