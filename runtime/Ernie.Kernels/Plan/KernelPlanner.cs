using Ernie.Graph;
using Ernie.Sampling;

namespace Ernie.Kernels;

/// <summary>Lowers a model for a device.</summary>
public static class KernelPlanner
{
    /// <summary>Makes the plan.</summary>
    /// <param name="graph">A model's graph after the shared passes.</param>
    /// <param name="device">The device.</param>
    /// <param name="samplers">Samplers with a device form, in the order of their index.</param>
    /// <param name="keepsBf16Copies">Whether quantised weights may also be kept in bf16, for steps of more than 8 tokens.</param>
    /// <param name="cache">Storage of keys and values.</param>
    /// <param name="persistent">Sizes of the persistent decode kernel, or null for none; where it does not suit the device or the model there is none either, and the plan says why.</param>
    /// <param name="processors">Logits processors with a device form, in their order; null for the standard ones.</param>
    /// <exception cref="KernelPlanException">There are no kernels for the model.</exception>
    public static KernelPlan Create(
        ModelGraph graph, DeviceProfile device, IReadOnlyList<ISampler>? samplers = null, bool keepsBf16Copies = true,
        KeyValueFormat cache = KeyValueFormat.BFloat16, PersistentTuning? persistent = null, IReadOnlyList<ILogitsProcessor>? processors = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(device);
        LoweringTarget target = new(device) { Samplers = samplers ?? [], Processors = processors, KeepsBf16Copies = keepsBf16Copies, Cache = cache, Persistent = persistent };
        return new KernelPlan(LoweringRunner.Run(graph, target, LoweringRunner.DumpFromEnvironment()));
    }

    /// <summary>Bytes that the bf16 copies of quantised weights take.</summary>
    /// <param name="graph">A model's graph after the shared passes.</param>
    /// <param name="device">The device.</param>
    public static long Bf16CopyBytes(ModelGraph graph, DeviceProfile device)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(device);
        return device.Architecture.HasWarpgroupProducts
            ? graph.Linears.Where(LinearSelector.IsQuantized).Sum(linear => (long)linear.OutFeatures * linear.InFeatures * sizeof(ushort)) : 0;
    }
}
