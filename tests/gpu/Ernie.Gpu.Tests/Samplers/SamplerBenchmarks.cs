using System.Diagnostics;
using Ernie.Cuda;
using Ernie.Execution;
using Ernie.Sampling;
using Ernie.Template;
using Ernie.Testing.Samplers;
using static Ernie.Gpu.Tests.BenchmarkReport;

namespace Ernie.Gpu.Tests;

/// <summary>
/// What drawing costs, run on request: <c>dotnet Ernie.Gpu.Tests.dll -explicit only -class Ernie.Gpu.Tests.SamplerBenchmarks</c>.
/// Lines begin with "bench"; ERNIE_BENCH_FILE also gets them.
/// </summary>
public sealed class SamplerBenchmarks
{
    /// <summary>The kernel by itself, launch after launch, over logits like a model's and like an untrained one's.</summary>
    [Fact(Explicit = true)]
    public void Kernel_EverySampler_IsMeasured()
    {
        const int Vocabulary = 103_424;
        using DeviceSampler device = new(Gpu.Require(), Vocabulary, ShippedDeviceForms.All);
        foreach (string shape in (string[])["peaked", "flat"])
        {
            for (int row = 0; row < 128; row++)
                device.SetLogits(row, DeviceFormTests.Logits(shape, row % 16));
            foreach ((string title, string name, SamplingOptions options) in Loads())
            {
                Set(device, name, options);
                Report($"sample {shape} {title}: batch 1 {device.Measure(1):F1} us (1 block {device.Measure(1, 1):F1}, 4 {device.Measure(1, 4):F1}), 8 {device.Measure(8):F1} us, 64 {device.Measure(64):F1} us (1 block {device.Measure(64, 1):F1}), 128 {device.Measure(128):F1} us");
            }
        }
    }

    /// <summary>What a greedy draw costs by itself and in a step (graph replays), beside a row that has ended, for which the kernel only tells the host.</summary>
    [Theory(Explicit = true)]
    [InlineData("wint4")]
    public void Step_Greedy_IsMeasured(string quantization)
    {
        const int Vocabulary = 103_424;
        ISampler sampler = ShippedDeviceForms.Named("standard");
        using (DeviceSampler device = new(Gpu.Require(), Vocabulary, [sampler]))
        {
            for (int row = 0; row < 128; row++)
                device.SetLogits(row, DeviceFormTests.Logits("peaked", row % 16));
            Set(device, "standard", SamplingOptions.Greedy);
            device.Measure(1);
            Report($"greedy kernel: batch 1 {device.Measure(1):F2} us (blocks 1 {device.Measure(1, 1):F2}, 2 {device.Measure(1, 2):F2}, 4 {device.Measure(1, 4):F2}, 8 {device.Measure(1, 8):F2}), 8 {device.Measure(8):F2}, 64 {device.Measure(64):F2}, 128 {device.Measure(128):F2}");
            Set(device, "standard", SamplingOptions.Greedy, maxLength: 1);
            Report($"greedy kernel, rows ended: batch 1 {device.Measure(1):F2} us (1 block {device.Measure(1, 1):F2}), 8 {device.Measure(8):F2}, 64 {device.Measure(64):F2}, 128 {device.Measure(128):F2}");
        }

        using CudaExecutor executor = Gpu.Base(quantization, options =>
        {
            options.MaxSequences = 64;
            options.PageCount = 64 * 24;
            options.Samplers = [sampler];
        });
        Session session = new(executor);
        foreach (int batch in (int[])[1, 64])
        {
            List<double> drawn = [], ended = [];
            for (int run = 0; run < 3; run++)
            {
                Step(executor, session, batch, sampler, SamplingOptions.Greedy, drawn);
                Step(executor, session, batch, sampler, SamplingOptions.Greedy, ended, maxTokens: 1);
            }

            Report($"greedy step {quantization} batch {batch}: {Median(drawn):F1} us, rows ended {Median(ended):F1} us");
        }
    }

    /// <summary>
    /// A decoding step at batch 64 and 1, graph replays, each sampler in all rows: the template's and every shipped one in turns with the
    /// standard one, all with the same temperature and top-p.
    /// </summary>
    [Theory(Explicit = true)]
    [InlineData("wint4", 64, 4)]
    [InlineData("wint4", 1, 3)]
    public void Step_EverySampler_IsMeasured(string quantization, int batch, int rounds)
    {
        ISampler[] samplers = [.. ShippedDeviceForms.All, new CustomSampler()];
        using CudaExecutor executor = Gpu.Base(quantization, options =>
        {
            options.MaxSequences = batch;
            options.PageCount = Math.Max(batch * 24, 32); // one sequence of the longest must fit
            options.Samplers = samplers;
        });
        Session session = new(executor);
        SamplingOptions options = new() { Temperature = 0.8f, TopP = 0.8f };
        List<double> greedy = [];
        Step(executor, session, batch, samplers[0], SamplingOptions.Greedy, greedy);
        Report($"step {quantization} batch {batch} greedy: {Median(greedy):F1} us");
        foreach (ISampler sampler in samplers[1..])
        {
            List<double> standard = [], other = [];
            for (int round = 0; round < rounds; round++)
            {
                Step(executor, session, batch, samplers[0], options, standard);
                Step(executor, session, batch, sampler, options, other);
            }

            double of = Median(standard), with = Median(other);
            Report($"step {quantization} batch {batch} {sampler.Name}: {with:F1} us, standard {of:F1} us, {(with / of - 1) * 100:+0.0;-0.0} % (median of {other.Count} steps each)");
        }
    }

    private static IEnumerable<(string Title, string Name, SamplingOptions Options)> Loads()
    {
        yield return ("greedy", "standard", SamplingOptions.Greedy);
        yield return ("temperature", "standard", new SamplingOptions());
        yield return ("top-k 50 top-p 0.9", "standard", new SamplingOptions { TopK = 50, TopP = 0.9f });
        SamplingOptions options = new() { Temperature = 0.8f, TopP = 0.8f };
        foreach (ISampler sampler in ShippedDeviceForms.All)
            yield return ($"{sampler.Name} top-p 0.8", sampler.Name, options);
    }

    private static void Set(DeviceSampler device, string name, SamplingOptions options, int maxLength = int.MaxValue)
    {
        ISampler sampler = ShippedDeviceForms.Named(name);
        byte[] parameters = new byte[sampler.ParameterBytes], scratch = new byte[sampler.ScratchBytes];
        sampler.WriteParameters(options, parameters);
        int[] tokens = [.. Enumerable.Range(0, 300).Select(i => i * 7919 % 5000)];
        for (int row = 0; row < 128; row++)
            device.SetRow(row, sampler, parameters, (ulong)row + 1, 0, tokens, scratch, maxLength);
    }

    // Appends the time of each step, in microseconds, from one being read to the next one being read.
    private static void Step(CudaExecutor executor, Session session, int batch, ISampler sampler, SamplingOptions options, List<double> times, int? maxTokens = null)
    {
        const int WarmUp = 10, Steps = 60;
        // Rows that have ended stay where they are: as far as the others are on average.
        int context = maxTokens is null ? 256 : 256 + WarmUp + (Steps / 2);
        int[] tokens = new int[context + 1];
        for (int slot = 0; slot < batch; slot++)
        {
            for (int i = 0; i < tokens.Length; i++)
                tokens[i] = ((i * 7919) + slot) % 5000;
            executor.SetSlot(slot, new DeviceSlot
            {
                Sampler = sampler,
                Options = options,
                Seed = (ulong)slot + 1,
                Stream = 0,
                Tokens = tokens,
                PromptLength = tokens.Length,
                StopTokens = [],
                MaxLength = maxTokens is { } most ? tokens.Length + most : executor.Info.MaxModelLength,
            });
        }

        int begun = 0;
        void Begin()
        {
            session.Batch.Clear();
            for (int slot = 0; slot < batch; slot++)
            {
                int row = session.Batch.Add(StepRow.Tokens(slot, context + begun, 1, 1));
                session.Batch.Tokens[row] = begun == 0 ? 100 + slot : StepBatch.TokenOnDevice;
                session.Batch.SampleOnDevice[row] = true;
            }

            executor.Begin(session.Batch);
            begun++;
        }

        Begin();
        long before = 0;
        for (int step = 0; step < WarmUp + Steps; step++)
        {
            Begin();
            executor.Complete();
            long now = Stopwatch.GetTimestamp();
            if (step >= WarmUp)
                times.Add(Stopwatch.GetElapsedTime(before, now).TotalMicroseconds);
            before = now;
        }

        executor.Complete();
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
