using System.Runtime.InteropServices;

namespace Ernie.Sampling;

/// <summary>
/// Repetition penalty (CTRL, arXiv:1909.05858, §4.1: divides positive logits and multiplies negative ones of tokens that prompt or output
/// hold), then frequency and presence penalties as OpenAI defines them, for tokens of the output.
/// </summary>
internal sealed class PenaltiesProcessor : ILogitsProcessor
{
    /// <inheritdoc/>
    public string Name => "penalties";

    /// <inheritdoc/>
    public int DeviceStateBytes => 16;

    /// <inheritdoc/>
    public SamplerNeeds Needs => SamplerNeeds.TokenCounts;

    /// <inheritdoc/>
    public DeviceSnippet? Device { get; } = new("Form", "using Form = ernie::PenaltiesProcessor;", "ernie/sampling/processors.cuh");

    /// <inheritdoc/>
    public byte[] CreateState(in ProcessorRequest request)
    {
        SamplingOptions options = request.Options;
        if (options is { RepetitionPenalty: 1, FrequencyPenalty: 0, PresencePenalty: 0 })
        {
            return [];
        }

        float[] state = [options.RepetitionPenalty, options.FrequencyPenalty, options.PresencePenalty, 0];
        return MemoryMarshal.AsBytes(state.AsSpan()).ToArray();
    }

    /// <inheritdoc/>
    public void Process(ref LogitsRow row, ReadOnlySpan<byte> state)
    {
        ReadOnlySpan<float> penalties = MemoryMarshal.Cast<byte, float>(state);
        (float repetition, float frequency, float presence) = (penalties[0], penalties[1], penalties[2]);
        foreach (int token in row.SeenTokens)
        {
            float logit = row.Logits[token];
            logit = logit > 0 ? logit / repetition : logit * repetition;
            int count = row.TokenCounts[token];
            if (count > 0)
            {
                logit -= (frequency * count) + presence;
            }

            row.Logits[token] = logit;
        }
    }
}
