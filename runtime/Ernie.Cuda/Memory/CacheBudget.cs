using System.Globalization;
using Ernie.Kernels;

namespace Ernie.Cuda.Memory;

/// <summary>
/// How many pages of keys and values an instance may take. <c>--gpu-memory-utilization</c> is the share of the card that this instance
/// may take, as in vLLM and FastDeploy: what others hold counts only in that the share must be free. Arithmetic alone.
/// </summary>
internal static class CacheBudget
{
    /// <summary>What graphs and the driver's own buffers may still take when the pages are in place.</summary>
    public const long ReservedBytes = 256L << 20;

    /// <summary>Bytes that an instance may still take: its share less what it has, and never more than is free.</summary>
    /// <param name="memory">The card.</param>
    /// <param name="utilization">The share, in (0, 1].</param>
    public static long Room(DeviceMemory memory, double utilization) => Math.Max(0, Math.Min(memory.FreeBytes, Share(memory, utilization)));

    /// <summary>Refuses a share that is not free.</summary>
    /// <param name="memory">The card.</param>
    /// <param name="utilization">The share, in (0, 1].</param>
    /// <exception cref="CudaUnavailableException">The message says who holds what, and which share would fit.</exception>
    public static void CheckShare(DeviceMemory memory, double utilization)
    {
        if (Share(memory, utilization) <= memory.FreeBytes)
            return;

        double fits = Math.Floor(100.0 * (memory.OwnBytes + memory.FreeBytes) / memory.TotalBytes) / 100;
        throw OutOfMemory(
            $"--gpu-memory-utilization {Text(utilization)} asks for {(long)(utilization * memory.TotalBytes) >> 20} of the {memory.TotalBytes >> 20} MiB of {memory.Device}; " +
            $"{memory.FreeBytes >> 20} MiB are free, this instance has {memory.OwnBytes >> 20} and {memory.Others}. " +
            (fits > 0 ? $"{Text(fits)} would fit." : "Nothing would fit: end what else uses the card, or name another one in CUDA_VISIBLE_DEVICES."));
    }

    /// <summary>The number of pages.</summary>
    /// <param name="memory">The card, weights and buffers in place.</param>
    /// <param name="utilization">The share, in (0, 1].</param>
    /// <param name="pagesAsked">The number that the operator wants, whatever the share; null for as many as the share holds.</param>
    /// <param name="bytesPerPage">Bytes of a page over all layers.</param>
    /// <param name="pagesPerSequence">Pages of one sequence of the greatest length.</param>
    /// <exception cref="CudaUnavailableException">They do not fit, or do not hold one sequence; the message says what would.</exception>
    public static long Pages(DeviceMemory memory, double utilization, int? pagesAsked, long bytesPerPage, int pagesPerSequence)
    {
        long longest = (long)pagesPerSequence * KernelPlan.TokensPerPage;
        if (pagesAsked is { } asked)
        {
            long most = Math.Max(0, memory.FreeBytes - ReservedBytes) / bytesPerPage;
            if (asked > most)
                throw OutOfMemory(
                    $"--num-gpu-blocks-override is {asked}: so many pages of {KernelPlan.TokensPerPage} tokens take {asked * bytesPerPage >> 20} MiB, and of the {memory.TotalBytes >> 20} MiB " +
                    $"of {memory.Device} {memory.FreeBytes >> 20} are free beside {memory.OwnBytes >> 20} of weights and buffers; {memory.Others}. {most} pages would fit.");

            return asked >= pagesPerSequence ? asked : throw OutOfMemory(
                $"--num-gpu-blocks-override is {asked}: so many pages hold {(long)asked * KernelPlan.TokensPerPage} tokens, and one sequence of max-model-len takes {longest}. " +
                $"Use {pagesPerSequence} at least, or lower --max-model-len to {(long)asked * KernelPlan.TokensPerPage}.");
        }

        CheckShare(memory, utilization);
        long pages = Math.Max(0, Share(memory, utilization) - ReservedBytes) / bytesPerPage;
        if (pages >= pagesPerSequence)
            return pages;

        double needed = Math.Ceiling(100.0 * (memory.OwnBytes + ReservedBytes + (pagesPerSequence * bytesPerPage)) / memory.TotalBytes) / 100;
        bool helps = needed <= 1 && needed * memory.TotalBytes - memory.OwnBytes <= memory.FreeBytes;
        throw OutOfMemory(
            $"At --gpu-memory-utilization {Text(utilization)} this instance may take {(long)(utilization * memory.TotalBytes) >> 20} of the {memory.TotalBytes >> 20} MiB of {memory.Device}. " +
            $"Weights and buffers take {memory.OwnBytes >> 20}, so the cache holds {pages * KernelPlan.TokensPerPage} tokens, and one sequence of max-model-len takes {longest}; {memory.Others}. " +
            (helps ? $"--gpu-memory-utilization {Text(needed)} would do; so would a lower" : "Use a lower") +
            " --max-model-len or --max-num-batched-tokens, --kv-cache-dtype fp8 or a --quantization.");
    }

    private static long Share(DeviceMemory memory, double utilization) => (long)(utilization * memory.TotalBytes) - memory.OwnBytes;

    private static CudaUnavailableException OutOfMemory(string message) => new(CudaDiagnostics.OutOfMemory, message);

    private static string Text(double share) => share.ToString("0.####", CultureInfo.InvariantCulture);
}
