using Ernie.Sampling;

namespace Ernie.Kernels;

/// <summary>What a graph is lowered for.</summary>
/// <param name="Device">The device.</param>
public sealed record LoweringTarget(DeviceProfile Device)
{
    /// <summary>Samplers with a device form, in the order of their index.</summary>
    public IReadOnlyList<ISampler> Samplers { get; init; } = [];

    /// <summary>Logits processors with a device form, in their order; null for the standard ones.</summary>
    public IReadOnlyList<ILogitsProcessor>? Processors { get; init; }

    /// <summary>Whether quantised weights may also be kept in bf16, for steps of more than 8 tokens.</summary>
    public bool KeepsBf16Copies { get; init; } = true;

    /// <summary>Storage of keys and values.</summary>
    public KeyValueFormat Cache { get; init; } = KeyValueFormat.BFloat16;

    /// <summary>Sizes of the persistent decode kernel, or null for none.</summary>
    public PersistentTuning? Persistent { get; init; }
}
