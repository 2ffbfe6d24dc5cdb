using Ernie.Execution;
using Ernie.Sampling;

namespace Ernie.Engine.Sampling;

/// <summary>Makes what is told of a logit: its log-probability in its row, or the logit itself.</summary>
/// <param name="mode">What requests are told.</param>
internal readonly struct LogprobScale(LogprobsMode mode)
{
    // What kernels leave of a masked logit is no infinity, and penalties may have divided it.
    private const float Masked = -1.0e37f;

    private readonly bool _tellsLogits = mode is LogprobsMode.RawLogits or LogprobsMode.ProcessedLogits;

    /// <summary>Which logits are told of.</summary>
    public LogitStage Stage { get; } = mode is LogprobsMode.RawLogits or LogprobsMode.RawLogprobs ? LogitStage.Raw : LogitStage.Processed;

    /// <summary>What is told of a logit.</summary>
    /// <param name="logit">The logit.</param>
    /// <param name="logSum">Logarithm of the sum of the exponentials of its row.</param>
    public float Of(float logit, double logSum) =>
        logit <= Masked ? float.NegativeInfinity
        : _tellsLogits ? logit
        // Rounding of the sum must not make a certain token more than certain.
        : (float)Math.Min(logit - logSum, 0);

    /// <summary>What is told of a token and its rivals that a device looked at.</summary>
    /// <param name="logits">What the device says.</param>
    /// <param name="topTokens">Receives the most probable tokens.</param>
    /// <param name="topLogprobs">Receives what is told of them.</param>
    public TokenDraw Read(in TokenLogits logits, Span<int> topTokens, Span<float> topLogprobs)
    {
        logits.Rivals.CopyTo(topTokens);
        for (int i = 0; i < topLogprobs.Length; i++)
        {
            topLogprobs[i] = Of(logits.RivalLogits[i], logits.LogSum);
        }

        return new TokenDraw(logits.Token, Of(logits.Logit, logits.LogSum), logits.Rank);
    }
}
