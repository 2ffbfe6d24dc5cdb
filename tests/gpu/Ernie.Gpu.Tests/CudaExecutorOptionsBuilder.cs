using Ernie.Cuda;
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

    public IReadOnlyList<ISampler> Samplers { get; set; } = [ArgMaxSampler.Instance];

    public CudaExecutorOptions Build() => new()
    {
        MaxSequences = MaxSequences,
        MaxBatchedTokens = MaxBatchedTokens,
        MaxModelLength = MaxModelLength,
        PageCount = PageCount,
        UsesGraphs = UsesGraphs,
        UsesDependentLaunch = UsesDependentLaunch,
        Samplers = Samplers,
    };
}
