using System.Diagnostics;
using Ernie.Cuda;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Interop;
using Ernie.Cuda.Memory;
using Ernie.Execution;
using Ernie.Kernels;
using Ernie.Sampling;
using static Ernie.Gpu.Tests.BenchmarkReport;

namespace Ernie.Gpu.Tests;

/// <summary>
/// Measurements, run on request: <c>dotnet Ernie.Gpu.Tests.dll -explicit only -class Ernie.Gpu.Tests.Benchmarks</c>.
/// Lines begin with "bench"; ERNIE_BENCH_FILE also gets them.
/// </summary>
public sealed class Benchmarks
{
    [Theory(Explicit = true)]
    [InlineData("bf16")]
    [InlineData("wint8")]
    [InlineData("wint4")]
    [InlineData("fp8")]
    public void Base_DecodePrefillAndKernels_AreMeasured(string quantization)
    {
        long started = Stopwatch.GetTimestamp();
        using CudaExecutor executor = Gpu.Base(quantization, options =>
        {
            options.MaxSequences = 256;
            options.MaxBatchedTokens = 8192;
            options.MaxModelLength = 8192;
            options.PageCount = 256 * 24;
        });
        Report($"{quantization} start {Stopwatch.GetElapsedTime(started).TotalSeconds:F2} s, {executor.DeviceBytes >> 20} MiB");
        Session session = new(executor);
        foreach (int batch in (int[])[1, 2, 4, 8, 16, 32, 64, 128, 256])
            MeasureDecode(executor, session, quantization, batch, context: 256);
        MeasureDecode(executor, session, quantization, 1, context: 1024);
        MeasureDecode(executor, session, quantization, 256, context: 1024);
        foreach (int length in (int[])[128, 1024, 4096, 8000])
            MeasurePrefill(executor, session, quantization, length);
        Trace(executor, session, quantization, "decode 1", 1, 1);
        Trace(executor, session, quantization, "decode 128", 128, 1);
        Trace(executor, session, quantization, "prefill 4096", 1, 4096);
    }

    [Theory(Explicit = true)]
    [InlineData("bf16")]
    [InlineData("fp8")]
    public void Base_Prefill_IsMeasured(string quantization)
    {
        using CudaExecutor executor = Gpu.Base(quantization, options =>
        {
            options.MaxBatchedTokens = 8192;
            options.MaxModelLength = 8192;
        });
        Session session = new(executor);
        foreach (int length in (int[])[512, 1024, 2048, 4096, 8000])
            MeasurePrefill(executor, session, quantization, length);
        Trace(executor, session, quantization, "prefill 4096", 1, 4096);
    }

    private static void MeasureDecode(CudaExecutor executor, Session session, string quantization, int batch, int context)
    {
        const int WarmUp = 20, Steps = 200;
        int[][] prompts = [.. Enumerable.Range(0, batch).Select(row => Ids(context, row))];
        double[] times = new double[3];
        long host = 0;
        for (int run = 0; run < times.Length; run++)
        {
            for (int slot = 0; slot < batch; slot++)
                SetSlot(executor, slot, prompts[slot]);
            StepBatch steps = session.Batch;
            int begun = 0;
            void Begin()
            {
                steps.Clear();
                for (int slot = 0; slot < batch; slot++)
                {
                    int row = steps.Add(StepRow.Tokens(slot, context + begun, 1, 1));
                    steps.Tokens[row] = begun == 0 ? prompts[slot][0] : StepBatch.TokenOnDevice;
                    steps.SampleOnDevice[row] = true;
                }

                long before = Stopwatch.GetTimestamp();
                executor.Begin(steps);
                host += Stopwatch.GetTimestamp() - before;
                begun++;
            }

            Begin();
            for (int step = 0; step < WarmUp; step++)
            {
                Begin();
                executor.Complete();
            }

            host = 0;
            long started = Stopwatch.GetTimestamp();
            for (int step = 0; step < Steps; step++)
            {
                Begin();
                executor.Complete();
            }

            times[run] = Stopwatch.GetElapsedTime(started).TotalMicroseconds / Steps;
            executor.Complete();
        }

        Array.Sort(times);
        Report($"{quantization} decode batch {batch} context {context}: {times[1]:F1} us/step (min {times[0]:F1}, max {times[2]:F1}), {batch / times[1] * 1e6:F0} tok/s, host {Stopwatch.GetElapsedTime(0, host).TotalMicroseconds / Steps:F1} us/step");
    }

    private static void MeasurePrefill(CudaExecutor executor, Session session, string quantization, int length)
    {
        int[] ids = Ids(length, 0);
        double[] times = new double[5];
        for (int run = 0; run < times.Length; run++)
        {
            SetSlot(executor, 0, ids);
            StepBatch batch = session.Batch;
            batch.Clear();
            int row = batch.Add(StepRow.Tokens(0, 0, length, 1));
            ids.CopyTo(batch.Tokens, 0);
            batch.SampleOnDevice[row] = true;
            long started = Stopwatch.GetTimestamp();
            executor.Begin(batch);
            executor.Complete().Tokens(0);
            times[run] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }

        Array.Sort(times);
        Report($"{quantization} prefill {length}: {times[2]:F2} ms (min {times[0]:F2}, max {times[4]:F2}), {length / times[2] * 1000:F0} tok/s");
    }

    // Time of each kernel by itself: an event behind each launch, the queue kept full by clearing memory first.
    private static void Trace(CudaExecutor executor, Session session, string quantization, string title, int rows, int count)
    {
        const long FillerBytes = 1L << 30;
        const int Fillers = 8;
        List<(KernelSpec Kernel, SafeCudaEvent Done)> launches = [];
        using DeviceArena arena = new();
        ulong filler = arena.Take(FillerBytes);
        Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventCreate(out SafeCudaEvent begin, Cuda.Interop.Cuda.CU_EVENT_DEFAULT));
        StepBatch batch = session.Batch;
        batch.Clear();
        for (int slot = 0; slot < rows; slot++)
        {
            int[] ids = Ids(count, slot);
            SetSlot(executor, slot, ids);
            int row = batch.Add(StepRow.Tokens(slot, count == 1 ? 300 : 0, count, 1));
            ids.CopyTo(batch.Tokens, batch.TokenOffset[row]);
            batch.SampleOnDevice[row] = true;
        }

        executor.RunsGraphs = false;
        executor.Begin(batch);
        executor.Complete();
        CudaKernel.Launched = (kernel, stream) =>
        {
            if (launches.Count == 0)
            {
                for (int i = 0; i < Fillers; i++)
                    Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuMemsetD8Async(filler, 0, (nuint)FillerBytes, stream));
                Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventRecord(begin.Value, stream));
            }

            Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventCreate(out SafeCudaEvent done, Cuda.Interop.Cuda.CU_EVENT_DEFAULT));
            Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventRecord(done.Value, stream));
            launches.Add((kernel, done));
        };
        executor.Begin(batch);
        executor.Complete();
        CudaKernel.Launched = null;
        executor.RunsGraphs = true;
        Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuCtxSynchronize());

        List<(KernelSpec Kernel, double Microseconds)> times = [];
        nint previous = begin.Value;
        foreach ((KernelSpec kernel, SafeCudaEvent done) in launches.Skip(1))
        {
            Cuda.Interop.Cuda.Check(Cuda.Interop.Cuda.cuEventElapsedTime(out float milliseconds, previous == begin.Value ? launches[0].Done.Value : previous, done.Value));
            times.Add((kernel, milliseconds * 1000));
            previous = done.Value;
        }

        foreach (var group in times.GroupBy(time => time.Kernel.Name))
        {
            LinearKernels? linear = executor.Plan.Linears.FirstOrDefault(candidate => group.Key.StartsWith(
                candidate.Decode.Name[..candidate.Decode.Name.IndexOf("_decode", StringComparison.Ordinal)] + "_", StringComparison.Ordinal));
            double[] sorted = [.. group.Select(time => time.Microseconds).Order()];
            double floor = linear is null ? 0 : KernelPlanPrinter.WeightBytes(linear.Weight) / executor.Plan.Device.BytesPerSecond * 1e6;
            Report($"{quantization} {title} {group.Key}: {sorted.Length} x median {sorted[sorted.Length / 2]:F2} us, total {sorted.Sum():F1} us, weight floor {floor:F2} us");
        }

        foreach ((_, SafeCudaEvent done) in launches)
            done.Dispose();
        begin.Dispose();
    }

    private static void SetSlot(CudaExecutor executor, int slot, int[] tokens) => executor.SetSlot(slot, new DeviceSlot
    {
        Sampler = ArgMaxSampler.Instance,
        Options = SamplingOptions.Greedy,
        Seed = 1,
        Stream = 0,
        Tokens = tokens,
        PromptLength = tokens.Length,
        StopTokens = [],
        MaxLength = executor.Info.MaxModelLength,
    });

    private static int[] Ids(int length, int seed)
    {
        Random random = new(seed + 1);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(100, 100000))];
    }
}
