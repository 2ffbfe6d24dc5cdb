namespace Ernie.Hosting.CacheBenchmark;

/// <summary>What one policy did with one trace.</summary>
/// <param name="Policy">Name of the policy.</param>
/// <param name="Trace">Name of the trace.</param>
/// <param name="HitRate">Share of the prompts' tokens that were found, in [0, 1].</param>
/// <param name="BestHitRate">The same for a cache without a limit.</param>
/// <param name="EvictedPages">Pages given back to make room.</param>
/// <param name="PageOperations">Pages looked up and found, offered, unpinned or evicted.</param>
/// <param name="NanosecondsPerPageOperation">Time in the policy, per page operation.</param>
/// <param name="AllocatedBytes">Managed bytes allocated in the policy.</param>
public sealed record CacheBenchmarkResult(
    string Policy,
    string Trace,
    double HitRate,
    double BestHitRate,
    long EvictedPages,
    long PageOperations,
    double NanosecondsPerPageOperation,
    long AllocatedBytes);
