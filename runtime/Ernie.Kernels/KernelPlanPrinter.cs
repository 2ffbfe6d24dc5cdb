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
        return (elements * KernelPlanner.BitsPerWeight(weight.Encoding.Format) / 8) + (groups * weight.OutFeatures * sizeof(float));
    }

    /// <summary>Prints a decoding step.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="batch">Sequences, 1 to 8.</param>
    /// <param name="contextLength">Tokens of each.</param>
    /// <param name="output">Where to.</param>
    public static void PrintDecode(KernelPlan plan, int batch, int contextLength, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(output);
        ModelShape shape = plan.Model.Shape;
        output.WriteLine(Text($"{shape.Name} on {plan.Device.Architecture} with {plan.Device.Multiprocessors} multiprocessors, {batch} sequence(s) of {contextLength} tokens"));
        output.WriteLine("kernel                          launches     grid  threads   shared      KB read    MFLOP  floor us");
        double total = 0;
        void Line(KernelSpec kernel, int launches, int grid, long bytes, double flops)
        {
            double floor = launches * bytes / plan.Device.BytesPerSecond * 1e6;
            total += floor;
            output.WriteLine(Text(
                $"{kernel.Name,-32}{launches,8}{grid,9}{kernel.Threads,9}{kernel.SharedMemoryBytes,9}{launches * bytes / 1024.0,13:F1}{launches * flops / 1e6,9:F1}{floor,10:F2}"));
        }

        void Linear(LinearKernels linear, int launches) => Line(
            linear.Decode, launches, linear.DecodeTiles, WeightBytes(linear.Weight), 2.0 * batch * linear.Weight.OutFeatures * linear.Weight.InFeatures);

        int layers = shape.LayerCount;
        Line(plan.Embed, 1, batch, (long)batch * shape.HiddenSize * sizeof(ushort), 0);
        Linear(plan.QueryKeyValue, layers);
        Line(
            plan.AttentionDecode, layers, plan.AttentionSplits(batch) * shape.KeyValueHeads * batch,
            (long)batch * contextLength * 2 * shape.KeyValueWidth * sizeof(ushort), 4.0 * batch * contextLength * shape.QueryWidth);
        Linear(plan.Output, layers);
        Linear(plan.GateUp, layers);
        Linear(plan.Down, layers);
        Linear(plan.Head, 1);
        Line(plan.Samplers[0], 1, batch, (long)batch * shape.VocabularySize * sizeof(float), 0);
        output.WriteLine(Text($"floor of the step {total:F2} us, {batch / total * 1e6:F0} tokens/s"));
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

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
