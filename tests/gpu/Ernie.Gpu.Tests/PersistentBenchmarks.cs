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
/// <remarks>
/// ERNIE_BENCH_VARIANTS, ERNIE_BENCH_QUANTIZATION and ERNIE_BENCH_CONTEXTS choose, separated by commas. A variant is one of those below or
/// the fields of <see cref="PersistentVariant"/>: <c>graph,persistent,ring=16;chunk=8192;copies=3</c>.
/// </remarks>
public sealed class PersistentBenchmarks
{
    private static readonly Dictionary<string, string> s_variants = new()
    {
        ["persistent"] = "",
        ["traced"] = "trace=1",
        ["copies-3"] = "copies=3",
        ["copies-4"] = "copies=4",
        ["chunks-8k"] = "chunk=8192;ring=16;copies=3",
        ["chunks-32k"] = "chunk=32768;ring=4",
    };

    [Theory(Explicit = true)]
    [InlineData("bf16")]
    [InlineData("wint8")]
    [InlineData("wint4")]
    public void Base_OneSequence_IsMeasured(string quantization)
    {
        string wanted = string.Join(',', Quantizations());
        Assert.SkipUnless(Quantizations().Contains(quantization), $"ERNIE_BENCH_QUANTIZATION is {wanted}.");
        foreach ((string title, PersistentTuning? tuning) in Variants())
            Measure(quantization, title, tuning);
    }

    /// <summary>Fills the cache of compiled kernels for the measurements, with all processors at once.</summary>
    [Fact(Explicit = true)]
    public void Kernels_OfAllVariants_AreCompiled()
    {
        DeviceProfile profile = Gpu.Require().Profile;
        IEnumerable<KernelSpec> kernels =
            from quantization in Quantizations()
            from variant in Variants()
            let plan = KernelPlanner.Create(
                DenseGraphs.Create(DenseGraphs.Base, DenseGraphs.Recipes[quantization]), profile, [ArgMaxSampler.Instance], persistent: variant.Tuning)
            from kernel in plan.Kernels
            select kernel;

        new KernelCompiler(CubinCache.Default(), NvrtcForTests.Require()).Compile(kernels, profile.Architecture);
    }

    private static string[] Quantizations() => Chosen("QUANTIZATION", "bf16,wint8,wint4");

    // The graph is the variant without a persistent kernel.
    private static IEnumerable<(string Title, PersistentTuning? Tuning)> Variants() =>
        from title in Chosen("VARIANTS", "graph," + string.Join(',', s_variants.Keys))
        select (title, title == "graph" ? null : PersistentVariant.Parse(s_variants.GetValueOrDefault(title, title)));

    private static string[] Chosen(string name, string usual) => (Environment.GetEnvironmentVariable("ERNIE_BENCH_" + name) ?? usual).Split(',');

    private static void Measure(string quantization, string title, PersistentTuning? tuning)
    {
        using CudaExecutor executor = Gpu.Base(quantization, options =>
        {
            options.MaxSequences = 2;
            options.UsesPersistentKernel = tuning is not null;
            options.PersistentTuning = tuning ?? new PersistentTuning();
        });
        if (tuning is not null && executor.Persistent is null)
        {
            Report($"{quantization} {title}: no persistent kernel, {executor.PersistentObstacle}");
            return;
        }

        Session session = new(executor);
        foreach (int context in Chosen("CONTEXTS", "128,384,800").Select(text => int.Parse(text, CultureInfo.InvariantCulture)))
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
            int row = batch.Add(StepRow.Tokens(0, context + begun, 1, 1));
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

    // Cycles between marks of a layer in the middle, of the last step: clocks of blocks are not alike, so only differences are looked at.
    private static void ReportTrace(CudaExecutor executor, string quantization)
    {
        if (executor.Persistent is not { } step || executor.Plan.Persistent is not { } plan)
            return;

        uint[] marks = new uint[plan.Shares.Blocks * plan.Marks];
        using CudaStream stream = new();
        stream.Download<uint>(marks, step.Trace);
        int layers = executor.Plan.Model.Shape.LayerCount, layer = layers / 2;
        Report($"{quantization} trace, cycles in layer {layer} of {layers}, median, least and latest of the blocks that attend and of the others");
        for (int mark = 1; mark < PersistentKernel.MarksPerLayer; mark++)
        {
            string title = PersistentKernel.MarkNames[mark];
            ReportMark(marks, plan, layer, mark, $"{quantization} trace {title,-24}");
        }
    }

    // Since the mark before; the first of the working warp since the first of the layer, its last since the query was multiplied.
    private static void ReportMark(uint[] marks, PersistentKernel plan, int layer, int mark, string title)
    {
        int from = mark == PersistentKernel.WorkerMark ? 0 : mark == PersistentKernel.MarksPerLayer - 1 ? PersistentKernel.WorkerMark + 1 : mark - 1;
        string Of(int first, int count)
        {
            uint[] cycles =
            [
                .. Enumerable.Range(first, count).Select(block => (block * plan.Marks) + (layer * PersistentKernel.MarksPerLayer))
                    .Select(at => marks[at + mark] - marks[at + from]).Order(),
            ];
            return string.Create(CultureInfo.InvariantCulture, $"{cycles[count / 2],7} {cycles[0],7} {cycles[^1],7}");
        }

        Report($"{title} {Of(0, plan.Shares.QueryBlocks)}  {Of(plan.Shares.QueryBlocks, plan.Shares.OtherBlocks)}");
    }

    private static void Report(FormattableString text) => Console.WriteLine("bench " + text.ToString(CultureInfo.InvariantCulture));
}
