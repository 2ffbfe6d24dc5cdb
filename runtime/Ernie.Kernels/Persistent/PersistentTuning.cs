namespace Ernie.Kernels;

/// <summary>Sizes of the persistent kernel that do not change what it computes.</summary>
public sealed record PersistentTuning
{
    /// <summary>Clusters at most. An H100 has 132 multiprocessors; where they are spread unevenly over the chip, 15 clusters of 8 are resident at once and not 16.</summary>
    public int MostClusters { get; init; } = 15;

    /// <summary>Bytes that one copy of weights brings; a power of two.</summary>
    public int ChunkBytes { get; init; } = 16384;

    /// <summary>Chunks that a block's shared memory holds, a power of two; half as many of packed weights.</summary>
    public int RingChunks { get; init; } = 8;

    /// <summary>Copies that a block has under way at most: a full ring hides the exchanges, queued requests lengthen them.</summary>
    public int CopiesInFlight { get; init; } = 2;

    /// <summary>Whether the kernel notes the clock at every phase's ends; for measurements.</summary>
    public bool Traces { get; init; }
}
