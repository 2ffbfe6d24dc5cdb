using Ernie.Weights;

namespace Ernie.Cpu;

/// <summary>How a CPU executor is made.</summary>
public sealed record CpuOptions
{
    /// <summary>Worker threads including the one that calls; 0 for one per processor.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// Whether threads other than the caller's stay on one processor each. Off by default: the caller floats, and where other programs run it may land
    /// on a pinned worker's processor, which then does the work of both. Only sensible with one thread per processor.
    /// </summary>
    public bool PinThreads { get; init; }

    /// <summary>What activations are when they meet quantised weights.</summary>
    public ActivationPrecision ActivationPrecision { get; init; }

    /// <summary>Storage of keys and values; null for f32 beside f32 activations, else bfloat16.</summary>
    public CachePrecision? CachePrecision { get; init; }

    /// <summary>Request slots: sequences that can run at once.</summary>
    public int MaxSequences { get; init; } = 128;

    /// <summary>Tokens in one step at most.</summary>
    public int MaxBatchedTokens { get; init; } = 8192;

    /// <summary>Tokens in one sequence at most; 0 for the model's own limit.</summary>
    public int MaxModelLength { get; init; }

    /// <summary>Pages of keys and values; 0 for as many as <see cref="CacheBytes"/> holds.</summary>
    public int PageCount { get; init; }

    /// <summary>Memory for keys and values where <see cref="PageCount"/> is 0, in bytes; never more is taken than every sequence at its greatest length needs.</summary>
    public long CacheBytes { get; init; } = 4L << 30;

    /// <summary>Tokens that pass through the layers together; longer steps are cut. Larger ones reuse weights more, smaller ones keep activations in cache.</summary>
    public int SliceTokens { get; init; } = 512;

    /// <summary>What the checkpoint's config says about its layout; null to judge by shapes and names.</summary>
    public CheckpointLayout? Layout { get; init; }

    /// <summary>Features to use; null for all that the processor has.</summary>
    public CpuFeatures? Features { get; init; }

    /// <summary>Receives the number of matrices loaded and their total, from the constructing thread.</summary>
    public Action<int, int>? Progress { get; init; }

    internal CachePrecision EffectiveCachePrecision =>
        CachePrecision ?? (ActivationPrecision == ActivationPrecision.Full ? Cpu.CachePrecision.Full : Cpu.CachePrecision.BFloat16);

    /// <summary>Rejects values that no executor can be made with.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range; the message names it.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Threads);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxSequences, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBatchedTokens, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxModelLength);
        ArgumentOutOfRangeException.ThrowIfNegative(PageCount);
        ArgumentOutOfRangeException.ThrowIfLessThan(SliceTokens, 1);
    }
}
