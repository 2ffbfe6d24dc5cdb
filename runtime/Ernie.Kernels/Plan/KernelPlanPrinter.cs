using System.Globalization;
using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>Prints plans for people: the launches of a step with what they read and the least time that takes, and the kernels' constants.</summary>
public static class KernelPlanPrinter
{
    /// <summary>Bytes that one launch of a linear reads of its weight and scales.</summary>
    /// <param name="weight">The weight.</param>
    public static long WeightBytes(LinearWeight weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        long elements = (long)weight.OutFeatures * weight.InFeatures;
        long groups = weight.Encoding.Format == WeightFormat.BFloat16 ? 0 : weight.Encoding.GroupSize == 0 ? 1 : weight.InFeatures / weight.Encoding.GroupSize;
        return (elements * PackedFormat.BitsPerWeight(weight.Encoding.Format) / 8) + (groups * weight.OutFeatures * sizeof(float));
    }

    /// <summary>Prints a decoding step.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="batch">Sequences, at least 1.</param>
    /// <param name="contextLength">Tokens of each.</param>
    /// <param name="output">Where to.</param>
    public static void PrintDecode(KernelPlan plan, int batch, int contextLength, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(output);
        output.WriteLine(Text($"{Title(plan)}, {batch} sequence(s) of {contextLength} tokens"));
        PrintNotes(plan, output);
        double seconds = PrintLaunches(plan, StepListing.Decode(plan, batch, contextLength), output);
        output.WriteLine(Text($"floor of the step {seconds * 1e6:F2} us, {batch / seconds:F0} tokens/s"));
        if (batch == 1 && plan.PersistentObstacle is { } obstacle)
            output.WriteLine($"no persistent kernel: {obstacle}");
    }

    /// <summary>Prints a step that reads a prompt.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="tokens">Tokens of the prompt, at least 2.</param>
    /// <param name="output">Where to.</param>
    public static void PrintPrefill(KernelPlan plan, int tokens, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(output);
        output.WriteLine(Text($"{Title(plan)}, a prompt of {tokens} tokens"));
        PrintNotes(plan, output);
        double seconds = PrintLaunches(plan, StepListing.Prefill(plan, tokens), output);
        output.WriteLine(Text($"floor of the step {seconds * 1e3:F3} ms, {tokens / seconds:F0} tokens/s"));
    }

    /// <summary>Prints every kernel with its constants.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="output">Where to.</param>
    public static void PrintKernels(KernelPlan plan, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(output);
        foreach (KernelSpec kernel in plan.Kernels)
        {
            output.WriteLine(Text($"{kernel.Name}: {kernel.Header}, {kernel.Threads} threads, {kernel.MinBlocks} blocks, {kernel.SharedMemoryBytes} bytes shared"));
            output.WriteLine("  " + string.Join(", ", kernel.Constants.Select(constant => $"{constant.Name} = {constant.Value}")));
        }
    }

    private static string Title(KernelPlan plan) =>
        Text($"{plan.Shape.Name} on {plan.Device.Architecture} with {plan.Device.Multiprocessors} multiprocessors");

    private static void PrintNotes(KernelPlan plan, TextWriter output)
    {
        foreach (string note in plan.Notes)
            output.WriteLine(note);
    }

    // Launches of one kernel and size in one line, in the order of the first: layers that are alike are.
    private static double PrintLaunches(KernelPlan plan, IReadOnlyList<StepLaunch> launches, TextWriter output)
    {
        output.WriteLine("kernel                          launches     grid  threads   shared      KB read    MFLOP  floor us");
        double total = 0;
        foreach (IGrouping<(KernelSpec Kernel, LaunchGrid Grid, long Bytes, string Kind), StepLaunch> group in launches.GroupBy(one => (one.Launch.Kernel, one.Grid, one.Bytes, Kind(one.Launch.Operation))))
        {
            double floor = group.Sum(one => one.FloorSeconds(plan.Device));
            total += floor;
            KernelSpec kernel = group.Key.Kernel;
            output.WriteLine(Text(
                $"{kernel.Name,-32}{group.Count(),8}{group.Key.Grid.Blocks,9}{kernel.Threads,9}{kernel.SharedMemoryBytes,9}{group.Sum(one => one.Bytes) / 1024.0,13:F1}{group.Sum(one => one.Operations) / 1e6,9:F1}{floor * 1e6,10:F2}"));
        }

        return total;
    }

    // What is done, without the layer.
    private static string Kind(string operation) => operation[(operation.LastIndexOf(' ') + 1)..];

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
