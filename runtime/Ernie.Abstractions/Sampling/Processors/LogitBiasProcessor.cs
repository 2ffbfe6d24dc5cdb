using System.Runtime.InteropServices;

namespace Ernie.Sampling;

/// <summary>Adds to logits by token; −100 and less bans, and where a token has +100 or more all that have less are masked.</summary>
internal sealed class LogitBiasProcessor : ILogitsProcessor
{
    // Tokens that the device keeps; kBiasCapacity of ernie/sampling/processors.cuh.
    private const int DeviceTokens = 1024;
    private const int HeaderInts = 4;
    private const float Ban = -100, Force = 100;

    /// <inheritdoc/>
    public string Name => "logit-bias";

    /// <inheritdoc/>
    public int DeviceStateBytes => sizeof(int) * (HeaderInts + (2 * DeviceTokens));

    /// <inheritdoc/>
    public DeviceSnippet? Device { get; } = new("Form", "using Form = ernie::LogitBiasProcessor;", "ernie/sampling/processors.cuh");

    /// <inheritdoc/>
    public byte[] CreateState(in ProcessorRequest request)
    {
        if (request.Options.LogitBias is not { Count: > 0 } biases)
        {
            return [];
        }

        // How many, whether a token is forced, two unused; then token and bits of the bias, sorted by token.
        var state = new int[HeaderInts + (2 * biases.Count)];
        state[0] = biases.Count;
        int at = HeaderInts;
        foreach ((int token, float bias) in biases.OrderBy(pair => pair.Key))
        {
            state[1] |= bias >= Force ? 1 : 0;
            state[at++] = token;
            state[at++] = BitConverter.SingleToInt32Bits(bias);
        }

        return MemoryMarshal.AsBytes(state.AsSpan()).ToArray();
    }

    /// <inheritdoc/>
    public void Process(ref LogitsRow row, ReadOnlySpan<byte> state)
    {
        ReadOnlySpan<int> ints = MemoryMarshal.Cast<byte, int>(state);
        bool forces = ints[1] != 0;
        int next = 0;
        for (int at = HeaderInts; at < ints.Length; at += 2)
        {
            (int token, float bias) = (ints[at], BitConverter.Int32BitsToSingle(ints[at + 1]));
            if (!forces)
            {
                row.Logits[token] = bias <= Ban ? float.NegativeInfinity : row.Logits[token] + bias;
            }
            else if (bias >= Force)
            {
                // Sorted by token: everything between forced tokens is masked.
                row.Logits[next..token].Fill(float.NegativeInfinity);
                row.Logits[token] += bias;
                next = token + 1;
            }
        }

        if (forces)
        {
            row.Logits[next..].Fill(float.NegativeInfinity);
        }
    }
}
