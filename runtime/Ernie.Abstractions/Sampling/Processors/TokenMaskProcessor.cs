using System.Numerics;

namespace Ernie.Sampling;

/// <summary>Masks what the request's <see cref="ITokenMask"/> does not allow.</summary>
internal sealed class TokenMaskProcessor : ILogitsProcessor
{
    /// <inheritdoc/>
    public string Name => "token-mask";

    /// <inheritdoc/>
    public int DeviceStateBytes => 16;

    /// <inheritdoc/>
    public DeviceSnippet? Device { get; } = new("Form", "using Form = ernie::TokenMaskProcessor;", "ernie/sampling/processors.cuh");

    /// <inheritdoc/>
    public byte[] CreateState(in ProcessorRequest request) => request.HasTokenMask ? new byte[16] : [];

    /// <inheritdoc/>
    public void Process(ref LogitsRow row, ReadOnlySpan<byte> state)
    {
        for (int word = 0; word < row.Mask.Length; word++)
        {
            for (uint masked = ~row.Mask[word]; masked != 0; masked &= masked - 1)
            {
                int token = (32 * word) + BitOperations.TrailingZeroCount(masked);
                if (token >= row.Logits.Length)
                {
                    return;
                }

                row.Logits[token] = float.NegativeInfinity;
            }
        }
    }
}
