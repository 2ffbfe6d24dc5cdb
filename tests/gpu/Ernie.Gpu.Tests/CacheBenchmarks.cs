using System.Diagnostics;
using Ernie.Cuda;
using Ernie.Execution;
using Ernie.Kernels;
using Ernie.Sampling;
using static Ernie.Gpu.Tests.BenchmarkReport;

namespace Ernie.Gpu.Tests;

/// <summary>
/// Whole steps of the 0.3B shape by the cache's format, run on request: <c>dotnet Ernie.Gpu.Tests.dll -explicit only -class Ernie.Gpu.Tests.CacheBenchmarks</c>.
/// Lines begin with "bench"; ERNIE_BENCH_FILE also gets them.
/// </summary>
public sealed class CacheBenchmarks
{
    [Theory(Explicit = true)]
    [InlineData("bf16", KeyValueFormat.BFloat16)]
    [InlineData("bf16", KeyValueFormat.Float8)]
    [InlineData("bf16", KeyValueFormat.Integer8)]
    public void Decode_ManyLongSequences_IsMeasured(string quantization, KeyValueFormat format)
    {
        using CudaExecutor executor = Gpu.Base(quantization, options =>
        {
            options.MaxSequences = 256;
            options.MaxModelLength = 2048;
            options.PageCount = 256 * 24;
            options.KeyValueFormat = format;
        });
        Session session = new(executor);
        foreach ((int rows, int context) in ((int, int)[])[(1, 256), (1, 1024), (8, 256), (256, 256), (256, 1024)])
            MeasureDecode(executor, session, $"{quantization} cache {format}", rows, context);
    }

    [Theory(Explicit = true)]
    [InlineData(KeyValueFormat.BFloat16)]
    [InlineData(KeyValueFormat.Float8)]
    public void Prefill_ToALongContext_IsMeasured(KeyValueFormat format)
    {
        const int Chunk = 8192;
        using CudaExecutor executor = Gpu.Base("bf16", options =>
        {
            options.MaxSequences = 1;
            options.MaxBatchedTokens = Chunk;
            options.MaxModelLength = 32768;
            options.PageCount = 512;
            options.KeyValueFormat = format;
        });
        Session session = new(executor);
        foreach (int length in (int[])[1024, 4096, 8192, 32768])
        {
            int[] ids = [.. Enumerable.Range(0, length).Select(i => 100 + (i * 7919 % 100000))];
            double[] times = new double[5];
            for (int run = 0; run < times.Length; run++)
            {
                long started = Stopwatch.GetTimestamp();
                session.Prefill(0, ids, Chunk);
                times[run] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            }

            Array.Sort(times);
            Report($"bf16 cache {format} prefill {length} in chunks of {Chunk}: {times[2]:F2} ms (min {times[0]:F2}, max {times[4]:F2})");
        }
    }

    /// <summary>128 sequences of 32,768 tokens: what an 80 GB card must hold.</summary>
    [Fact(Explicit = true)]
    public void Start_LongSequencesInEightBits_IsMeasured()
    {
        long started = Stopwatch.GetTimestamp();
        using CudaExecutor executor = Gpu.Base("bf16", options =>
        {
            options.MaxSequences = 128;
            options.MaxModelLength = 32768;
            options.PageCount = null;
            options.KeyValueFormat = KeyValueFormat.Float8;
        });

        Report($"cache Float8: {executor.Info.PageCount} pages of 64 tokens, {executor.DeviceBytes >> 20} MiB in all, started in {Stopwatch.GetElapsedTime(started).TotalSeconds:F2} s");
        Assert.True(executor.Info.PageCount >= 128 * 32768 / 64, $"{executor.Info.PageCount} pages");
    }

    private static void MeasureDecode(CudaExecutor executor, Session session, string title, int rows, int context)
    {
        const int WarmUp = 20, Steps = 100;
        for (int slot = 0; slot < rows; slot++)
        {
            executor.SetSlot(slot, new DeviceSlot
            {
                Sampler = ArgMaxSampler.Instance,
                Options = SamplingOptions.Greedy,
                Seed = 1,
                Stream = 0,
                Tokens = [.. Enumerable.Range(100 + slot, context)],
                PromptLength = context,
                StopTokens = [],
                MaxLength = executor.Info.MaxModelLength,
            });
        }

        int begun = 0;
        void Begin()
        {
            StepBatch batch = session.Batch;
            batch.Clear();
            for (int slot = 0; slot < rows; slot++)
            {
                int row = batch.Add(StepRow.Tokens(slot, context + begun, 1, 1));
                batch.Tokens[row] = begun == 0 ? 100 : StepBatch.TokenOnDevice;
                batch.SampleOnDevice[row] = true;
            }

            executor.Begin(batch);
            begun++;
        }

        double[] times = new double[3];
        Begin();
        for (int step = 0; step < WarmUp; step++)
        {
            Begin();
            executor.Complete();
        }

        for (int run = 0; run < times.Length; run++)
        {
            long started = Stopwatch.GetTimestamp();
            for (int step = 0; step < Steps; step++)
            {
                Begin();
                executor.Complete();
            }

            times[run] = Stopwatch.GetElapsedTime(started).TotalMicroseconds / Steps;
        }

        executor.Complete();
        Array.Sort(times);
        Report($"{title} decode {rows} x {context}: {times[1]:F1} us/step (min {times[0]:F1}, max {times[2]:F1}), {rows / times[1] * 1e6:F0} tok/s");
    }
}
