namespace Ernie.Cuda.Memory;

/// <summary>A card's memory at one moment.</summary>
/// <param name="Device">The card's name.</param>
/// <param name="TotalBytes">All of it.</param>
/// <param name="FreeBytes">What nobody holds.</param>
/// <param name="OwnBytes">What this instance took: weights and buffers. Not its context, which the driver counts as held.</param>
internal readonly record struct DeviceMemory(string Device, long TotalBytes, long FreeBytes, long OwnBytes)
{
    /// <summary>What a context, its kernels and the driver take of a card without any process's asking.</summary>
    public const long ContextBytes = 1L << 30;

    /// <summary>What neither is free nor this instance's: other processes' memory, contexts, the driver's own.</summary>
    public long OthersBytes => Math.Max(0, TotalBytes - FreeBytes - OwnBytes);

    /// <summary>Who holds <see cref="OthersBytes"/>, in words.</summary>
    public string Others => OthersBytes > ContextBytes ? $"other processes hold {OthersBytes >> 20} MiB" : $"the driver and contexts hold {OthersBytes >> 20} MiB";
}
