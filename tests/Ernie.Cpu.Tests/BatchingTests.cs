using Ernie.Execution;
using Ernie.Graph;
using Ernie.Testing;

namespace Ernie.Cpu.Tests;

/// <summary>What a step computes does not depend on what else is in it, nor on how it is cut.</summary>
public sealed class BatchingTests
{
    private static readonly QuantizationRecipe s_wint4 = new(WeightEncoding.Int4Group(128), WeightEncoding.Int8PerChannel);

    [Fact]
    public void RaggedBatch_DecodesAndPrefills_EqualsRowsAlone()
    {
        int[] ids = TalesFixture.Ids("len-64");
        using ModelRunner alone = ModelRunner.Tales(ModelRunner.SmallOptions, s_wint4);
        using ModelRunner mixed = ModelRunner.Tales(ModelRunner.SmallOptions, s_wint4);
        float[] decode = Alone(alone, 0, ids, 40);
        float[] longPrefill = alone.Run(1, 0, ids).ToArray();
        float[] shortPrefill = alone.Run(2, 0, ids.AsSpan(0, 7)).ToArray();
        mixed.Run(0, 0, ids.AsSpan(0, 40));

        mixed.Batch.Clear();
        Add(mixed, 0, 40, ids.AsSpan(40, 1));
        Add(mixed, 2, 0, ids.AsSpan(0, 7));
        Add(mixed, 1, 0, ids);
        StepOutput output = mixed.Step();

        Numeric.AssertClose(decode, output.Logits(0, 0), Tolerance.Exact);
        Numeric.AssertClose(shortPrefill, output.Logits(1, 0), Tolerance.Exact);
        Numeric.AssertClose(longPrefill, output.Logits(2, 0), Tolerance.Exact);
    }

    public static TheoryData<string> Encodings => ["bf16", "wint8", "wint4", "fp8"];

    public static TheoryData<CachePrecision> Caches => [.. Enum.GetValues<CachePrecision>()];

    [Theory]
    [MemberData(nameof(Encodings))]
    public void Decode_InABatchOfAnySize_EqualsTheRowAlone(string encoding)
    {
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions with { MaxSequences = 64, MaxModelLength = 64 }, Recipe(encoding));
        for (int slot = 0; slot < 64; slot++)
            runner.Run(slot, 0, [slot, 100 + slot, 200 + slot]);
        float[] expected = runner.Run(0, 3, [17]).ToArray();

        foreach (int rows in (int[])[2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64])
        {
            runner.Batch.Clear();
            for (int slot = 0; slot < rows; slot++)
                Add(runner, slot, 3, [17 + (slot * 5)]);

            Numeric.AssertClose(expected, runner.Step().Logits(0, 0), Tolerance.Exact);
        }
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void LastToken_ComputedAfterTheOthers_EqualsThePromptInOnePiece(string encoding)
    {
        // What a wholly cached prompt does: all but its last token is there already.
        int[] ids = TalesFixture.Ids("len-64");
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions, Recipe(encoding));
        float[] expected = runner.Run(0, 0, ids).ToArray();

        float[] actual = Alone(runner, 1, ids, ids.Length - 1);

        Numeric.AssertClose(expected, actual, Tolerance.Exact);
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void LastToken_OnACopiedPage_EqualsThePromptInOnePiece(string encoding)
    {
        int[] ids = TalesFixture.Ids("len-64");
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions, Recipe(encoding));
        float[] expected = runner.Run(0, 0, ids).ToArray();
        Caching.PageId from = runner.Batch.PageTable[0], to = runner.Batch.PageTable[runner.Batch.MaxPagesPerSequence];

        runner.Batch.Clear();
        runner.Batch.AddCopy(from, to);
        Add(runner, 1, 63, ids.AsSpan(63, 1));

        Numeric.AssertClose(expected, runner.Step().Logits(0, 0), Tolerance.Exact);
        runner.Batch.Clear();
        Assert.True(runner.Batch.Copies.IsEmpty);
        Assert.NotEqual(from, to);
    }

    [Theory]
    [MemberData(nameof(Caches))]
    public void LastToken_OnACopiedPageOfAnyCache_EqualsThePromptInOnePiece(CachePrecision cache)
    {
        int[] ids = TalesFixture.Ids("len-64");
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.SmallOptions with { CachePrecision = cache });
        float[] expected = runner.Run(0, 0, ids).ToArray();

        runner.Batch.Clear();
        runner.Batch.AddCopy(runner.Batch.PageTable[0], runner.Batch.PageTable[runner.Batch.MaxPagesPerSequence]);
        Add(runner, 1, 63, ids.AsSpan(63, 1));

        Numeric.AssertClose(expected, runner.Step().Logits(0, 0), Tolerance.Exact);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    public void ShortSlices_Prefill_EqualsOneSlice(int sliceTokens)
    {
        int[] ids = [.. Enumerable.Range(0, 150).Select(i => (i * 37) % 4096)];
        using ModelRunner whole = ModelRunner.Tales(ModelRunner.SmallOptions, s_wint4);
        using ModelRunner cut = ModelRunner.Tales(ModelRunner.SmallOptions with { SliceTokens = sliceTokens }, s_wint4);
        float[] expected = whole.Run(0, 0, ids).ToArray();

        Span<float> actual = cut.Run(0, 0, ids);

        Numeric.AssertClose(expected, actual, Tolerance.Exact);
    }

    [Fact]
    public void ManyWorkers_LongDecode_SplitsPagesAndAgrees()
    {
        // Two key/value heads for eight workers: pages are shared out, and partial results merged.
        int[] ids = [.. Enumerable.Range(0, 500).Select(i => (i * 37) % 4096)];
        using ModelRunner one = ModelRunner.Tales(ModelRunner.ReferenceOptions with { Threads = 1 });
        using ModelRunner many = ModelRunner.Tales(ModelRunner.ReferenceOptions with { Threads = 8 });
        float[] expected = Alone(one, 0, ids, 499);

        float[] actual = Alone(many, 0, ids, 499);

        double error = Numeric.RelativeError(expected, actual);
        Assert.True(error <= 1e-5, $"relative error {error:E3}: parts are merged in f32.");
    }

    [Fact]
    public void ScatteredPages_Decode_EqualsConsecutivePages()
    {
        int[] ids = [.. Enumerable.Range(0, 300).Select(i => (i * 37) % 4096)];
        using ModelRunner straight = ModelRunner.Tales(ModelRunner.SmallOptions, s_wint4);
        using ModelRunner scattered = ModelRunner.Tales(ModelRunner.SmallOptions, s_wint4);
        for (int i = 0; i < 5; i++)
            scattered.Batch.PageTable[i] = new Caching.PageId(90 - (i * 17));
        float[] expected = Alone(straight, 0, ids, 299);

        float[] actual = Alone(scattered, 0, ids, 299);

        Numeric.AssertClose(expected, actual, Tolerance.Exact);
    }

    [Fact]
    public void PoolRow_AnyLength_GivesStatesAndNoLogits()
    {
        int[] ids = TalesFixture.Ids("len-64");
        using ModelRunner runner = ModelRunner.Tales(ModelRunner.ReferenceOptions with { SliceTokens = 10 });

        runner.Batch.Clear();
        Add(runner, 0, 0, ids.AsSpan(0, 5));
        int row = runner.Batch.Add(StepRow.Pool(1, 0, ids.Length));
        ids.CopyTo(runner.Batch.RowTokens(row));
        StepOutput output = runner.Step();

        // The norm's weight is applied, so the scale of a state is of the order of the weight; both ends of the row must be there.
        Assert.Contains(output.Hidden(row, 0).ToArray(), value => value != 0);
        Assert.Contains(output.Hidden(row, ids.Length - 1).ToArray(), value => value != 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => output.Hidden(row, ids.Length).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => output.Hidden(0, 0).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => output.Logits(row, 0).Length);
    }

    private static QuantizationRecipe? Recipe(string encoding) => encoding switch
    {
        "wint8" => new QuantizationRecipe(WeightEncoding.Int8PerChannel, WeightEncoding.Int8PerChannel),
        "wint4" => s_wint4,
        "fp8" => new QuantizationRecipe(WeightEncoding.Fp8Block128, WeightEncoding.Int8PerChannel),
        _ => null,
    };

    private static float[] Alone(ModelRunner runner, int slot, int[] ids, int prompt)
    {
        runner.Run(slot, 0, ids.AsSpan(0, prompt));
        return runner.Run(slot, prompt, ids.AsSpan(prompt, 1)).ToArray();
    }

    private static int Add(ModelRunner runner, int slot, int start, ReadOnlySpan<int> tokens)
    {
        int row = runner.Batch.Add(StepRow.Tokens(slot, start, tokens.Length, 1));
        tokens.CopyTo(runner.Batch.Tokens.AsSpan(runner.Batch.TokenOffset[row]));
        return row;
    }
}
