using System.Diagnostics;
using Ernie.Cuda;
using Ernie.Execution;
using Ernie.Sampling;
using static Ernie.Gpu.Tests.BenchmarkReport;

namespace Ernie.Gpu.Tests.Logprobs;

/// <summary>
/// What log-probabilities cost, run on request:
/// <c>dotnet Ernie.Gpu.Tests.dll -explicit only -class Ernie.Gpu.Tests.Logprobs.LogprobBenchmarks</c>.
/// </summary>
public sealed class LogprobBenchmarks
{
    private const int Context = 256;

    /// <summary>A decoding step with and without, in turns: every row, a fifth of them, with the penalties that make a row be kept.</summary>
    [Theory(Explicit = true)]
    [InlineData("bf16")]
    [InlineData("wint4")]
    public void Base_DecodeWithLogprobs_IsMeasured(string quantization)
    {
        using CudaExecutor executor = Gpu.Base(quantization, options =>
        {
            options.MaxSequences = 128;
            options.MaxModelLength = 4096;
            options.PageCount = 128 * 24;
        });
        Session session = new(executor);
        SamplingOptions penalties = SamplingOptions.Greedy with { RepetitionPenalty = 1.1f };
        foreach (int batch in (int[])[1, 8, 64, 128])
        {
            (string What, Func<int, int> Wish, SamplingOptions Options)[] ways =
            [
                ("nothing", _ => -1, SamplingOptions.Greedy),
                ("no rivals", _ => 0, SamplingOptions.Greedy),
                ("5 rivals", _ => 5, SamplingOptions.Greedy),
                ("20 rivals", _ => 20, SamplingOptions.Greedy),
                ("5 rivals of a fifth", row => row % 5 == 0 ? 5 : -1, SamplingOptions.Greedy),
                ("nothing, penalties", _ => -1, penalties),
                ("5 rivals, penalties", _ => 5, penalties),
            ];
            double[][] times = [.. ways.Select(_ => new double[5])];
            for (int turn = 0; turn < 5; turn++)
            {
                for (int way = 0; way < ways.Length; way++)
                    times[way][turn] = Decode(executor, session, batch, ways[way].Wish, ways[way].Options);
            }

            for (int way = 0; way < ways.Length; way++)
            {
                Array.Sort(times[way]);
                double without = times[ways[way].Options == penalties ? 5 : 0][2];
                Report($"{quantization} decode batch {batch}, {ways[way].What}: {times[way][2]:F1} us/step (min {times[way][0]:F1}, max {times[way][4]:F1}), {times[way][2] / without:F3} of without");
            }
        }
    }

    /// <summary>A prompt with and without log-probabilities of its tokens, in turns.</summary>
    [Theory(Explicit = true)]
    [InlineData("bf16", 128)]
    [InlineData("bf16", 8)]
    [InlineData("fp8", 128)]
    public void Base_PromptLogprobs_AreMeasured(string quantization, int sequences)
    {
        using CudaExecutor executor = Gpu.Base(quantization, options =>
        {
            options.MaxSequences = sequences;
            options.MaxBatchedTokens = 8192;
            options.MaxModelLength = 8192;
            options.PageCount = sequences * 128;
        });
        Session session = new(executor);
        foreach (int length in (int[])[512, 4096, 8000])
        {
            (double[] without, double[] none, double[] five) = (new double[7], new double[7], new double[7]);
            for (int turn = 0; turn < without.Length; turn++)
            {
                without[turn] = Prefill(executor, session, length, -1);
                none[turn] = Prefill(executor, session, length, 0);
                five[turn] = Prefill(executor, session, length, 5);
            }

            foreach ((string what, double[] times) in ((string, double[])[])[("without", without), ("no rivals", none), ("5 rivals", five)])
            {
                Array.Sort(times);
                Report($"{quantization} prompt {length} of {sequences} sequences, {what}: {times[3]:F2} ms (min {times[0]:F2}, max {times[6]:F2}), {times[3] / without[3]:F3} of without");
            }
        }
    }

    private static double Decode(CudaExecutor executor, Session session, int rows, Func<int, int> wish, SamplingOptions options)
    {
        const int WarmUp = 20, Steps = 200;
        for (int slot = 0; slot < rows; slot++)
            SetSlot(executor, slot, Ids(Context, slot), options, wish(slot) >= 0);
        StepBatch batch = session.Batch;
        int begun = 0;
        void Begin()
        {
            batch.Clear();
            for (int slot = 0; slot < rows; slot++)
            {
                int row = batch.Add(StepRow.Tokens(slot, Context + begun, 1, 1));
                batch.RowTokens(row)[0] = begun == 0 ? 100 + slot : StepBatch.TokenOnDevice;
                batch.SampleOnDevice[row] = true;
                batch.Logprobs[row] = wish(slot);
            }

            executor.Begin(batch);
            begun++;
        }

        Begin();
        for (int step = 0; step < WarmUp; step++)
        {
            Begin();
            executor.Complete();
        }

        long started = Stopwatch.GetTimestamp();
        for (int step = 0; step < Steps; step++)
        {
            Begin();
            executor.Complete();
        }

        double time = Stopwatch.GetElapsedTime(started).TotalMicroseconds / Steps;
        executor.Complete();
        return time;
    }

    private static double Prefill(CudaExecutor executor, Session session, int length, int rivals)
    {
        int[] tokens = Ids(length, 0);
        SetSlot(executor, 0, tokens, SamplingOptions.Greedy, wantsLogprobs: false);
        StepBatch batch = session.Batch;
        batch.Clear();
        int row = batch.Add(StepRow.Tokens(0, 0, length, 1));
        tokens.CopyTo(batch.RowTokens(row));
        batch.SampleOnDevice[row] = true;
        batch.PromptLogprobs[row] = rivals;
        long started = Stopwatch.GetTimestamp();
        executor.Begin(batch);
        executor.Complete();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static void SetSlot(CudaExecutor executor, int slot, int[] tokens, SamplingOptions options, bool wantsLogprobs) =>
        executor.SetSlot(slot, new DeviceSlot
        {
            Sampler = ArgMaxSampler.Instance,
            Options = options,
            Seed = 1,
            Stream = 0,
            Tokens = tokens,
            PromptLength = tokens.Length,
            StopTokens = [],
            MaxLength = executor.Info.MaxModelLength,
            Logprobs = wantsLogprobs ? LogitStage.Raw : null,
        });

    private static int[] Ids(int length, int seed)
    {
        Random random = new(seed + 1);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(100, 100000))];
    }
}
