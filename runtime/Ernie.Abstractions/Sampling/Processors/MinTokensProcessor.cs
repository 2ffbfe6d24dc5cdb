using System.Runtime.InteropServices;

namespace Ernie.Sampling;

/// <summary>Masks the tokens at which a request ends until it has as many as it asked for.</summary>
internal sealed class MinTokensProcessor : ILogitsProcessor
{
    // Stop tokens that the device keeps; kStopCapacity of ernie/sampling/slot.cuh.
    private const int DeviceTokens = 32;
    private const int HeaderInts = 4;

    /// <inheritdoc/>
    public string Name => "min-tokens";

    /// <inheritdoc/>
    public int DeviceStateBytes => sizeof(int) * (HeaderInts + DeviceTokens);

    /// <inheritdoc/>
    public DeviceSnippet? Device { get; } = new("Form", "using Form = ernie::MinTokensProcessor;", "ernie/sampling/processors.cuh");

    /// <inheritdoc/>
    public byte[] CreateState(in ProcessorRequest request)
    {
        if (request.Options.MinTokens <= 0 || request.StopTokens.IsEmpty)
        {
            return [];
        }

        // Tokens to generate, how many are masked, two unused; then those.
        int[] state = [request.Options.MinTokens, request.StopTokens.Length, 0, 0, .. request.StopTokens];
        return MemoryMarshal.AsBytes(state.AsSpan()).ToArray();
    }

    /// <inheritdoc/>
    public void Process(ref LogitsRow row, ReadOnlySpan<byte> state)
    {
        ReadOnlySpan<int> ints = MemoryMarshal.Cast<byte, int>(state);
        if (row.Output.Length >= ints[0])
        {
            return;
        }

        foreach (int token in ints[HeaderInts..])
        {
            row.Logits[token] = float.NegativeInfinity;
        }
    }
}
