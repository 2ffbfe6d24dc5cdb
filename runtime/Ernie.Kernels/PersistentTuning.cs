namespace Ernie.Kernels;

/// <summary>Sizes of the persistent kernel that do not change what it computes.</summary>
public sealed record PersistentTuning
{
    /// <summary>Blocks, one per multiprocessor. The rows of every weight are shared out evenly, which the multiples of 128 in dense models allow.</summary>
    public int Blocks { get; init; } = 128;

    /// <summary>Bytes that one copy of weights brings; a power of two.</summary>
    public int ChunkBytes { get; init; } = 16384;

    /// <summary>Chunks that a block's shared memory holds; a power of two.</summary>
    public int RingChunks { get; init; } = 8;

    /// <summary>Copies that a block has under way at most: a full ring hides the exchanges, queued requests lengthen them.</summary>
    public int CopiesInFlight { get; init; } = 2;

    /// <summary>Chunks into which the past of a key/value head is cut at most.</summary>
    public int Splits { get; init; } = 4;

    /// <summary>Tokens of a sequence up to which the kernel is used; beyond, a kernel that spreads attention over all multiprocessors is faster.</summary>
    public int MostTokens { get; init; } = 1024;

    /// <summary>Whether the kernel notes the clock at every phase's ends; for measurements.</summary>
    public bool Traces { get; init; }
}
