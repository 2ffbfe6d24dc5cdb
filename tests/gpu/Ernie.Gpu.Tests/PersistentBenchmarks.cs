using System.Diagnostics;
using System.Globalization;
using Ernie.Cuda;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Memory;
using Ernie.Execution;
using Ernie.Kernels;
using Ernie.Sampling;
using Ernie.Testing.Gpu;

namespace Ernie.Gpu.Tests;

/// <summary>
/// Time of one sequence's decoding step and where the persistent kernel spends it:
/// <c>dotnet Ernie.Gpu.Tests.dll -explicit only -class Ernie.Gpu.Tests.PersistentBenchmarks</c>. Lines begin with "bench".
/// </summary>
public sealed class PersistentBenchmarks
{
    private static readonly string[] s_marks =
    [
        "qkv wait", "qkv product", "qkv finish", "query wait", "attention", "output wait", "output product", "output finish",
        "gate+up wait", "gate+up product", "gate+up finish", "down wait", "down product", "down finish",
    ];

    // Sizes that are compared; ERNIE_BENCH_VARIANTS names some of them, separated by commas.
    private static readonly Dictionary<string, PersistentTuning?> s_variants = new()
    {
        ["graph"] = null,
        ["persistent"] = new(),
        ["traced"] = new() { Traces = true },
        ["copies-3"] = new() { CopiesInFlight = 3 },
        ["copies-4"] = new() { CopiesInFlight = 4 },
        ["chunks-8k"] = new() { ChunkBytes = 8192, RingChunks = 16, CopiesInFlight = 3 },
        ["chunks-32k"] = new() { ChunkBytes = 32768, RingChunks = 4, CopiesInFlight = 2 },
        ["splits-3"] = new() { Splits = 3 },
    };

    [Theory(Explicit = true)]
    [InlineData("bf16")]
    [InlineData("wint8")]
    [InlineData("wint4")]
    public void Base_OneSequence_IsMeasured(string quantization)
    {
        string? wanted = Environment.GetEnvironmentVariable("ERNIE_BENCH_QUANTIZATION");
        Assert.SkipUnless(wanted is null || wanted == quantization, $"ERNIE_BENCH_QUANTIZATION is {wanted}.");
        foreach ((string title, PersistentTuning? tuning) in Variants())
            Measure(quantization, title, tuning);
    }

    /// <summary>Fills the cache of compiled kernels for the measurements, with all processors at once.</summary>
    [Fact(Explicit = true)]
    public void Kernels_OfAllVariants_AreCompiled()
    {
        DeviceProfile profile = Gpu.Require().Profile;
        IEnumerable<KernelSpec> kernels =
            from quantization in (string[])["bf16", "wint8", "wint4"]
            from variant in Variants()
            let plan = KernelPlanner.Create(
                DenseGraphs.Create(DenseGraphs.Base, DenseGraphs.Recipes[quantization]), profile, [ArgMaxSampler.Instance], variant.Tuning)
            from kernel in plan.Kernels
            select kernel;

        new KernelCompiler(CubinCache.Default(), NvrtcForTests.Require()).Compile(kernels, profile.Architecture);
    }

    private static IEnumerable<(string Title, PersistentTuning? Tuning)> Variants()
    {
        string[]? wanted = Environment.GetEnvironmentVariable("ERNIE_BENCH_VARIANTS")?.Split(',');
        return s_variants.Where(variant => wanted?.Contains(variant.Key) ?? true).Select(variant => (variant.Key, variant.Value));
    }

    private static void Measure(string quantization, string title, PersistentTuning? tuning)
    {
        using CudaExecutor executor = Gpu.Base(quantization, options =>
        {
            options.MaxSequences = 2;
            options.UsesPersistentKernel = tuning is not null;
            options.PersistentTuning = tuning ?? new PersistentTuning();
        });
        Session session = new(executor);
        foreach (int context in (int[])[128, 384, 800])
        {
            double[] times = [.. Enumerable.Range(0, 3).Select(_ => MicrosecondsPerStep(executor, session, context)).Order()];
            Report($"{quantization} {title}, context {context}: {times[1]:F1} us/step (min {times[0]:F1}, max {times[2]:F1}), {1e6 / times[1]:F0} tok/s");
        }

        if (tuning is { Traces: true })
            ReportTrace(executor, quantization);
    }

    private static double MicrosecondsPerStep(CudaExecutor executor, Session session, int context)
    {
        const int WarmUp = 10, Steps = 100;
        int[] prompt = [.. Enumerable.Range(0, context).Select(i => 100 + i)];
        executor.SetSlot(0, new DeviceSlot
        {
            Sampler = ArgMaxSampler.Instance,
            Options = SamplingOptions.Greedy,
            Seed = 1,
            Stream = 0,
            Tokens = prompt,
            PromptLength = prompt.Length,
            StopTokens = [2],
            MaxLength = executor.Info.MaxModelLength,
        });
        int begun = 0;
        void Begin()
        {
            StepBatch batch = session.Batch;
            batch.Clear();
            int row = batch.Add(0, context + begun, 1, 1);
            batch.Tokens[row] = begun == 0 ? prompt[0] : StepBatch.TokenOnDevice;
            batch.SampleOnDevice[row] = true;
            executor.Begin(batch);
            begun++;
        }

        Begin();
        long started = 0;
        for (int step = 0; step < WarmUp + Steps; step++)
        {
            if (step == WarmUp)
                started = Stopwatch.GetTimestamp();
            Begin();
            executor.Complete();
        }

        double time = Stopwatch.GetElapsedTime(started).TotalMicroseconds / Steps;
        executor.Complete();
        return time;
    }

    // Cycles between marks, mean over the layers but the first: median and extremes over the blocks.
    private static void ReportTrace(CudaExecutor executor, string quantization)
    {
        if (executor.Persistent is not { } step || executor.Plan.Persistent is not { } plan)
            return;

        uint[] marks = new uint[plan.Tuning.Blocks * plan.Marks];
        using CudaStream stream = new();
        stream.Download<uint>(marks, step.Trace);
        int layers = executor.Plan.Model.Shape.LayerCount;
        for (int i = 0; i < s_marks.Length; i++)
        {
            double[] cycles = new double[plan.Tuning.Blocks];
            for (int block = 0; block < cycles.Length; block++)
            {
                for (int layer = 1; layer < layers; layer++)
                {
                    int at = (block * plan.Marks) + 1 + (layer * PersistentKernel.MarksPerLayer) + i;
                    cycles[block] += (double)(marks[at] - marks[at - 1]) / (layers - 1);
                }
            }

            Report($"{quantization} trace {s_marks[i]}: block 0 {cycles[0]:F0}, median {cycles.Order().ElementAt(cycles.Length / 2):F0}, min {cycles.Min():F0}, max {cycles.Max():F0} cycles");
        }

        double Span(int from, int to) => Enumerable.Range(0, plan.Tuning.Blocks)
            .Select(block => (double)(marks[(block * plan.Marks) + to] - marks[(block * plan.Marks) + from])).Order().ElementAt(plan.Tuning.Blocks / 2);
        int head = 1 + (layers * PersistentKernel.MarksPerLayer);
        Report($"{quantization} trace layer 0 {Span(0, PersistentKernel.MarksPerLayer):F0}, layers {Span(0, head - 1):F0}, head wait {Span(head - 1, head):F0}, head {Span(head, head + 1):F0} cycles");
    }

    private static void Report(FormattableString text) => Console.WriteLine("bench " + text.ToString(CultureInfo.InvariantCulture));
}
