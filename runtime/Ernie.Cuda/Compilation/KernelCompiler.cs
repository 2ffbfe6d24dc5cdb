using System.Collections.Concurrent;
using System.Diagnostics;
using Ernie.Cuda.Nvrtc;
using Ernie.Kernels;

namespace Ernie.Cuda.Compilation;

/// <summary>Turns kernel specifications into cubins: from the cache, else compiled, several at once.</summary>
public sealed class KernelCompiler
{
    /// <summary>Versions whose cubins are looked for when no compiler is installed.</summary>
    private static readonly string[] s_knownVersions =
        ["13.2", "13.1", "13.0", "12.9", "12.8", "12.6", "12.5", "12.4", "12.3", "12.2", "12.1", "12.0"];

    private readonly CubinCache _cache;
    private readonly NvrtcCompiler? _compiler;

    /// <summary>Makes a compiler.</summary>
    /// <param name="cache">Where cubins are kept.</param>
    /// <param name="compiler">NVRTC, or null when only cached kernels can be had.</param>
    public KernelCompiler(CubinCache cache, NvrtcCompiler? compiler)
    {
        ArgumentNullException.ThrowIfNull(cache);
        _cache = cache;
        _compiler = compiler;
    }

    /// <summary>Gets all kernels of a plan; equal specifications are compiled once.</summary>
    /// <param name="specifications">What to compile.</param>
    /// <param name="architecture">For which GPU.</param>
    /// <param name="progress">Told after each kernel; may be called from several threads.</param>
    /// <returns>Each specification's cubin.</returns>
    /// <exception cref="KernelCompileException">NVRTC refused a kernel.</exception>
    /// <exception cref="CudaUnavailableException">A kernel is not cached and there is no NVRTC.</exception>
    public IReadOnlyDictionary<KernelSpec, CompiledKernel> Compile(
        IEnumerable<KernelSpec> specifications, GpuArchitecture architecture, Action<KernelCompiled>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(specifications);
        ArgumentNullException.ThrowIfNull(architecture);
        // The longest first. What takes long to compile is the text of plug-ins, which loops over the vocabulary in several ways, and
        // unrolled tiles, which are as many as the shared memory they work on.
        KernelSpec[] distinct =
        [
            .. specifications.Distinct().OrderByDescending(specification => specification.Snippet is not null)
                .ThenByDescending(specification => specification.SharedMemoryBytes),
        ];
        ConcurrentDictionary<KernelSpec, CompiledKernel> kernels = new();
        try
        {
            Parallel.ForEach(
                // One at a time and in this order: a long one that begins last would be waited for alone.
                Partitioner.Create(distinct, EnumerablePartitionerOptions.NoBuffering),
                new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, Environment.ProcessorCount) },
                specification =>
                {
                    long started = Stopwatch.GetTimestamp();
                    (CompiledKernel kernel, bool cached) = Get(KernelSource.Create(specification), architecture);
                    kernels[specification] = kernel;
                    progress?.Invoke(new KernelCompiled(specification.Name, cached, Stopwatch.GetElapsedTime(started), distinct.Length));
                });
        }
        catch (AggregateException exception) when (exception.InnerExceptions[0] is KernelCompileException or CudaUnavailableException)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(exception.InnerExceptions[0]);
        }

        return kernels;
    }

    private (CompiledKernel Kernel, bool Cached) Get(KernelSource source, GpuArchitecture architecture)
    {
        if (_compiler is null)
        {
            return (s_knownVersions
                .Select(version => _cache.TryRead(CubinCache.Key(source, architecture, version)))
                .FirstOrDefault(kernel => kernel is not null) ?? throw NoCompiler(source, architecture), true);
        }

        string key = CubinCache.Key(source, architecture, _compiler.Version);
        if (_cache.TryRead(key) is { } cached)
            return (cached, true);

        CompiledKernel compiled = _compiler.Compile(source, architecture);
        _cache.Write(key, compiled);
        return (compiled, false);
    }

    private CudaUnavailableException NoCompiler(KernelSource source, GpuArchitecture architecture) => new(
        CudaDiagnostics.NoCompiler,
        $"kernel '{source.Name}' for {architecture.Name} is not in the cache {_cache.Folder} and no libnvrtc 12 or 13 was found in: " +
        $"{string.Join(", ", NvrtcLocator.SearchFolders())}. Install it (pip install nvidia-cuda-nvrtc-cu12, or the package " +
        "cuda-nvrtc of your system), set ERNIE_NVRTC to its folder, or fill the cache on another machine.");
}
