namespace Ernie.Kernels;

/// <summary>A named buffer, its size by the executor's capacities, and the memory it shares.</summary>
/// <param name="Name">One of <see cref="KernelBuffers"/>.</param>
/// <param name="Slot">Buffers of one slot have the same memory, one after the other.</param>
public sealed record PlannedBuffer(string Name, int Slot)
{
    /// <summary>Bytes for each token of a step.</summary>
    public long BytesPerToken { get; init; }

    /// <summary>Bytes for each token of a step, rounded up to whole tiles: <see cref="CapacitySize.SquareStride"/>.</summary>
    public long BytesPerPaddedToken { get; init; }

    /// <summary>Bytes for each row of logits.</summary>
    public long BytesPerRow { get; init; }

    /// <summary>Its size.</summary>
    /// <param name="tokens">Most tokens of a step.</param>
    /// <param name="paddedTokens">The same in whole tiles.</param>
    /// <param name="rows">Most rows of logits.</param>
    public long Bytes(long tokens, long paddedTokens, long rows) => (tokens * BytesPerToken) + (paddedTokens * BytesPerPaddedToken) + (rows * BytesPerRow);
}
