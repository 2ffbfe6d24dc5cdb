using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>The pages of keys and values: per layer, keys then values, each [pages, kv heads, tokens per page, head size] bf16.</summary>
internal sealed class KeyValuePool
{
    // What a context, its graphs and the driver's own buffers may still take.
    private const long ReservedBytes = 256L << 20;

    private readonly ulong _address;
    private readonly long _halfLayerBytes;

    private KeyValuePool(ulong address, int pageCount, long halfLayerBytes)
    {
        _address = address;
        PageCount = pageCount;
        _halfLayerBytes = halfLayerBytes;
    }

    public int PageCount { get; }

    public ulong Keys(int layer) => _address + (ulong)(2 * layer * _halfLayerBytes);

    public ulong Values(int layer) => Keys(layer) + (ulong)_halfLayerBytes;

    /// <summary>Takes the pool once everything else is in place.</summary>
    /// <exception cref="CudaUnavailableException">Not one full sequence fits.</exception>
    public static KeyValuePool Create(CudaDevice device, ModelShape shape, CudaExecutorOptions options, int pagesPerSequence, DeviceArena arena)
    {
        long pageBytes = (long)KernelPlan.TokensPerPage * shape.KeyValueWidth * sizeof(ushort);
        long bytesPerPage = 2 * shape.LayerCount * pageBytes;
        (long free, long total) = device.Memory();
        long available = free - (long)((1 - options.GpuMemoryUtilization) * total) - ReservedBytes;
        long pages = options.PageCount ?? (available / bytesPerPage);
        if (pages < pagesPerSequence || pages * bytesPerPage > free)
        {
            throw new CudaUnavailableException(
                CudaDiagnostics.OutOfMemory,
                $"{device.Name} has {free >> 20} MiB free of {total >> 20}; at gpu-memory-utilization {options.GpuMemoryUtilization} the cache holds " +
                $"{Math.Max(0, Math.Min(pages, free / bytesPerPage)) * KernelPlan.TokensPerPage} tokens and one sequence of max-model-len takes {pagesPerSequence * KernelPlan.TokensPerPage}. " +
                "Lower max-model-len or max-num-batched-tokens, or raise gpu-memory-utilization.");
        }

        // Pages are numbered by int, and a graph of addresses is simplest with one block.
        int pageCount = (int)Math.Min(pages, int.MaxValue / KernelPlan.TokensPerPage);
        return new KeyValuePool(arena.Take(pageCount * bytesPerPage), pageCount, pageCount * pageBytes);
    }
}
