using Ernie.Cuda.Compilation;
using Ernie.Cuda.Nvrtc;
using Ernie.Kernels;
using Ernie.Sampling;

namespace Ernie.Cuda;

/// <summary>What a GPU executor is made with.</summary>
public sealed class CudaExecutorOptions
{
    /// <summary>Request slots.</summary>
    public int MaxSequences { get; init; } = 128;

    /// <summary>Tokens of a step at most.</summary>
    public int MaxBatchedTokens { get; init; } = 8192;

    /// <summary>Tokens of a sequence at most; null is the model's own limit.</summary>
    public int? MaxModelLength { get; init; }

    /// <summary>Share of the device's memory that this executor may take, in (0, 1], whatever others hold.</summary>
    public double GpuMemoryUtilization { get; init; } = 0.9;

    /// <summary>Pages of the key/value pool; null takes what <see cref="GpuMemoryUtilization"/> leaves.</summary>
    public int? PageCount { get; init; }

    /// <summary>Storage of keys and values.</summary>
    public KeyValueFormat KeyValueFormat { get; init; }

    /// <summary>Whether decoding steps replay captured graphs; off for debugging.</summary>
    public bool UsesGraphs { get; init; } = true;

    /// <summary>Whether kernels may start before their predecessor has ended, where the device can.</summary>
    public bool UsesDependentLaunch { get; init; } = true;

    /// <summary>
    /// Whether quantised weights are also kept in bf16 on a device whose kernels for more than 8 tokens want that;
    /// left away all the same when the copies would take more than a quarter of the memory that is to be had.
    /// </summary>
    public bool KeepsBf16Copies { get; init; } = true;

    /// <summary>How long a step may take before the device counts as lost.</summary>
    public TimeSpan StepTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether one sequence alone is decoded by the persistent kernel, where there is one for the device and the model; only with <see cref="UsesGraphs"/>.</summary>
    public bool UsesPersistentKernel { get; init; } = true;

    /// <summary>Sizes of the persistent kernel; measurements try others.</summary>
    internal PersistentTuning PersistentTuning { get; init; } = new();

    /// <summary>Samplers whose device form is compiled in.</summary>
    public IReadOnlyList<ISampler> Samplers { get; init; } = [];

    /// <summary>Logits processors in their order; those with a device form are compiled in.</summary>
    public IReadOnlyList<ILogitsProcessor> Processors { get; init; } = LogitsProcessors.Standard;

    /// <summary>Where compiled kernels are kept; null is the user's cache.</summary>
    public CubinCache? CubinCache { get; init; }

    /// <summary>Finds the compiler; tests take it away.</summary>
    internal Func<NvrtcCompiler?> FindCompiler { get; init; } = NvrtcCompiler.TryCreate;

    /// <summary>Told how long each part of the start took.</summary>
    public Action<string, TimeSpan>? Phase { get; init; }

    /// <summary>Told in a sentence of what was asked for and is not used.</summary>
    public Action<string>? Notice { get; init; }

    /// <summary>Told after each kernel is ready; from several threads.</summary>
    public Action<KernelCompiled>? Progress { get; init; }
}
