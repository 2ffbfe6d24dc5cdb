using Ernie.Cuda;
using Ernie.Cuda.Compilation;
using Ernie.Cuda.Nvrtc;
using Ernie.Kernels;
using Ernie.Sampling;

namespace Ernie.Gpu.Tests;

/// <summary>Options of a test's executor: small by default.</summary>
internal sealed class CudaExecutorOptionsBuilder
{
    public int MaxSequences { get; set; } = 16;

    public int MaxBatchedTokens { get; set; } = 2048;

    public int MaxModelLength { get; set; } = 2048;

    public int? PageCount { get; set; } = 600;

    public bool UsesGraphs { get; set; } = true;

    public bool UsesDependentLaunch { get; set; } = true;

    public bool KeepsBf16Copies { get; set; } = true;

    public KeyValueFormat KeyValueFormat { get; set; }

    public TimeSpan StepTimeout { get; set; } = TimeSpan.FromSeconds(30);

    public bool UsesPersistentKernel { get; set; } = true;

    public PersistentTuning PersistentTuning { get; set; } = new();

    public Action<string>? Notice { get; set; }

    public IReadOnlyList<ISampler> Samplers { get; set; } = [ArgMaxSampler.Instance];

    public double GpuMemoryUtilization { get; set; } = 0.9;

    public CubinCache? CubinCache { get; set; }

    public bool HasCompiler { get; set; } = true;

    public CudaExecutorOptions Build() => new()
    {
        MaxSequences = MaxSequences,
        MaxBatchedTokens = MaxBatchedTokens,
        MaxModelLength = MaxModelLength,
        PageCount = PageCount,
        UsesGraphs = UsesGraphs,
        UsesDependentLaunch = UsesDependentLaunch,
        KeepsBf16Copies = KeepsBf16Copies,
        KeyValueFormat = KeyValueFormat,
        UsesPersistentKernel = UsesPersistentKernel,
        PersistentTuning = PersistentTuning,
        Notice = Notice,
        Samplers = Samplers,
        GpuMemoryUtilization = GpuMemoryUtilization,
        CubinCache = CubinCache,
        FindCompiler = HasCompiler ? NvrtcCompiler.TryCreate : () => null,
        StepTimeout = StepTimeout,
    };
}
