using Ernie.Cuda;
using Ernie.Execution;
using Ernie.Sampling;
using Ernie.Testing;

namespace Ernie.Gpu.Tests;

/// <summary>How a batch is cut must not change what comes out.</summary>
public sealed class BatchingTests
{
    private const int Seed = 20261123;

    // Two paths round differently; a wrong page, mask or position changes everything.
    private const double PathError = 0.03;

    [Theory]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(129)]
    [InlineData(1000)]
    public void Decode_AtLengthsAroundAPage_EqualsPrefill(int length)
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);
        int[] ids = Ids(length);
        float[] whole = session.Prefill(0, ids, 2048);

        session.Run(new SessionRow(1, 0, ids[..^1], 0));
        float[] decoded = session.Run(new SessionRow(1, length - 1, [ids[^1]], 1))[0][0];

        double error = Numeric.RelativeError(whole, decoded);
        Assert.True(error < PathError, $"length {length}, seed {Seed}: {error:E3}");
    }

    [Theory]
    [InlineData(16)]
    [InlineData(33)]
    [InlineData(100)]
    public void Prefill_InChunks_EqualsPrefillAtOnce(int chunk)
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);
        int[] ids = Ids(333);

        double error = Numeric.RelativeError(session.Prefill(0, ids, 2048), session.Prefill(1, ids, chunk));

        Assert.True(error < PathError, $"chunks of {chunk}, seed {Seed}: {error:E3}");
    }

    [Fact]
    public void Mixed_DecodesAndPrefillsInOneStep_EqualEachAlone()
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);
        int[][] ids = [Ids(70), Ids(5), Ids(200), Ids(64), Ids(130)];
        float[][] alone = [.. ids.Select(prompt => session.Prefill(15, prompt, 2048))];
        session.Run(new SessionRow(0, 0, ids[0][..^1], 0));
        session.Run(new SessionRow(1, 0, ids[1][..^1], 0));
        session.Run(new SessionRow(4, 0, ids[4][..77], 0));

        float[][][] mixed = session.Run(
            new SessionRow(0, 69, [ids[0][^1]], 1), new SessionRow(1, 4, [ids[1][^1]], 1),
            new SessionRow(2, 0, ids[2], 1), new SessionRow(3, 0, ids[3], 1), new SessionRow(4, 77, ids[4][77..], 1));

        for (int row = 0; row < ids.Length; row++)
        {
            double error = Numeric.RelativeError(alone[row], mixed[row][0]);
            Assert.True(error < PathError, $"row {row}, seed {Seed}: {error:E3}");
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(16)]
    public void Decode_SeveralRows_EqualsEachAlone(int rows)
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);
        int[][] ids = [.. Enumerable.Range(0, rows).Select(row => Ids(20 + (37 * row)))];
        for (int row = 0; row < rows; row++)
            session.Run(new SessionRow(row, 0, ids[row][..^1], 0));

        float[][][] together = session.Run([.. ids.Select((prompt, row) => new SessionRow(row, prompt.Length - 1, [prompt[^1]], 1))]);

        for (int row = 0; row < rows; row++)
        {
            float[] alone = session.Run(new SessionRow(row, ids[row].Length - 1, [ids[row][^1]], 1))[0][0];
            double error = Numeric.RelativeError(alone, together[row][0]);
            Assert.True(error < PathError, $"row {row} of {rows}, seed {Seed}: {error:E3}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(16)]
    public void Decode_TheSameBatchAHundredTimes_IsBitIdentical(int rows)
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);
        int[][] ids = [.. Enumerable.Range(0, rows).Select(row => Ids(300 + (50 * row)))];
        for (int row = 0; row < rows; row++)
            session.Run(new SessionRow(row, 0, ids[row][..^1], 0));
        SessionRow[] batch = [.. ids.Select((prompt, row) => new SessionRow(row, prompt.Length - 1, [prompt[^1]], 1))];
        float[][][] first = session.Run(batch);

        for (int run = 0; run < 100; run++)
        {
            float[][][] again = session.Run(batch);
            for (int row = 0; row < rows; row++)
                Assert.True(first[row][0].AsSpan().SequenceEqual(again[row][0]), $"run {run}, row {row}");
        }
    }

    [Fact]
    public void Begin_BeyondTheStepsInFlight_IsRefused()
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);
        session.Run(new SessionRow(0, 0, [5, 6, 7], 1));

        executor.Begin(session.Batch);
        executor.Begin(session.Batch);

        Assert.Throws<InvalidOperationException>(() => executor.Begin(session.Batch));
        executor.Complete();
        executor.Complete();
        Assert.Throws<InvalidOperationException>(() => executor.Complete());
    }

    [Fact]
    public void Decode_OnTheDevice_AllocatesNothing()
    {
        using CudaExecutor executor = Gpu.Tales("bf16");
        Session session = new(executor);
        session.Decode([Ids(10)], 20, _ => SamplingOptions.Greedy, ArgMaxSampler.Instance);
        StepBatch batch = session.Batch;

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int step = 0; step < 50; step++)
        {
            batch.Clear();
            int row = batch.Add(StepRow.Tokens(0, 29 + step, 1, 1));
            batch.Tokens[0] = StepBatch.TokenOnDevice;
            batch.SampleOnDevice[row] = true;
            executor.Begin(batch);
            executor.Complete().Tokens(0);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static int[] Ids(int length)
    {
        Random random = new(Seed + length);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(100, 4096))];
    }
}
