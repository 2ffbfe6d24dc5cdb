using Ernie.Cuda;
using Ernie.Sampling;
using Ernie.Testing;

namespace Ernie.Gpu.Tests;

/// <summary>Pages that are shared, moved and added while graphs replay.</summary>
public sealed class PageTableTests
{
    private const int Seed = 20261125;

    // Two paths round differently; a wrong page changes everything.
    private const double PathError = 0.03;

    // Nor does a token differ that the other path nearly took.
    private const double Margin = 0.15;

    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    public void Slots_ThatShareTheirFirstPages_ReadThem(int shared)
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);
        int[] ids = Ids(shared + 20);
        float[] alone = session.Prefill(2, ids, 2048);
        session.Run(new SessionRow(0, 0, ids[..shared], 0));
        int width = executor.Info.MaxPagesPerSequence;
        for (int page = 0; page < shared / executor.Info.TokensPerPage; page++)
            session.Batch.PageTable[width + page] = session.Batch.PageTable[page];

        float[] logits = session.Run(new SessionRow(1, shared, ids[shared..], 1))[0][0];

        Assert.True(Numeric.RelativeError(alone, logits) < PathError, $"seed {Seed}: {Numeric.RelativeError(alone, logits):E3}");
    }

    [Fact]
    public void Slot_ThatGetsOtherPages_ForgetsTheOldOnes()
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);
        int[] first = Ids(150), second = Ids(140);
        float[] expected = session.Prefill(3, second, 2048);
        session.Prefill(0, first, 2048);
        int width = executor.Info.MaxPagesPerSequence;
        // The slot's next request has pages of a slot that nobody uses, in another order.
        for (int page = 0; page < 3; page++)
            session.Batch.PageTable[page] = session.Batch.PageTable[(5 * width) + 2 - page];

        float[] logits = session.Prefill(0, second, 33);

        Assert.True(Numeric.RelativeError(expected, logits) < PathError, $"seed {Seed}: {Numeric.RelativeError(expected, logits):E3}");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Decode_OverSeveralPages_ContinuesAsPrefillSays(int depth)
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);
        int[][] prompts = [Ids(62), Ids(63), Ids(64), Ids(65), Ids(127), Ids(1)];

        int[][] tokens = session.Decode(prompts, 140, _ => SamplingOptions.Greedy, ArgMaxSampler.Instance, depth);

        for (int row = 0; row < prompts.Length; row++)
        {
            int[] ids = [.. prompts[row], .. tokens[row][..^1]];
            float[][] logits = session.Run(new SessionRow(10, 0, ids, tokens[row].Length))[0];
            for (int step = 0; step < tokens[row].Length; step++)
                Assert.True(logits[step].Max() - logits[step][tokens[row][step]] < Margin, $"row {row}, step {step}, seed {Seed}");
        }
    }

    [Fact]
    public void Mixed_TheSameBatchAHundredTimes_IsBitIdentical()
    {
        using CudaExecutor executor = Gpu.Tales("wint4");
        Session session = new(executor);
        int[][] ids = [Ids(300), Ids(65), Ids(20)];
        session.Run(new SessionRow(0, 0, ids[0][..^1], 0));
        session.Run(new SessionRow(2, 0, ids[2][..^5], 0));
        SessionRow[] batch = [new(0, 299, [ids[0][^1]], 1), new(1, 0, ids[1], 1), new(2, 15, ids[2][^5..], 2)];
        float[][][] first = session.Run(batch);

        for (int run = 0; run < 100; run++)
        {
            float[][][] again = session.Run(batch);
            for (int row = 0; row < batch.Length; row++)
            {
                for (int index = 0; index < first[row].Length; index++)
                    Assert.True(first[row][index].AsSpan().SequenceEqual(again[row][index]), $"run {run}, row {row}, seed {Seed}");
            }
        }
    }

    private static int[] Ids(int length)
    {
        Random random = new(Seed + length);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(100, 4096))];
    }
}
