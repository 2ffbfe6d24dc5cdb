using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Ernie.Engine.Sequences;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Sampling;

/// <summary>
/// Turns a row of logits into a token on the host: the request's processors in the order of <see cref="LogitsProcessors"/>, then the tokens
/// that it allows, then the sampler plugin. Log-probabilities are taken of the row before all of it or just before the sampler. Allocates nothing.
/// </summary>
internal sealed class LogitsPipeline
{
    // What a mask leaves may have been divided by a penalty.
    private const float Masked = -1.0e37f;

    private readonly float[] _kept;
    private readonly LogprobScale _scale;

    /// <summary>Reserves one row of scratch.</summary>
    /// <param name="vocabularySize">Logits in a row.</param>
    /// <param name="scale">What is told of logits.</param>
    public LogitsPipeline(int vocabularySize, LogprobScale scale)
    {
        _kept = new float[vocabularySize];
        _scale = scale;
    }

    /// <summary>Whether the sequence's history must be kept.</summary>
    public static bool NeedsHistory(ReadOnlySpan<ProcessorState> processors, ISampler sampler)
    {
        SamplerNeeds needs = sampler.Needs;
        foreach (ProcessorState used in processors)
        {
            needs |= used.Processor.Needs;
        }

        return needs.HasFlag(SamplerNeeds.TokenCounts);
    }

    /// <summary>Draws the next token of a sequence.</summary>
    /// <param name="sequence">The sequence; its length is the position that is drawn.</param>
    /// <param name="tokens">Its tokens so far.</param>
    /// <param name="history">What it has seen; empty unless <see cref="NeedsHistory"/>.</param>
    /// <param name="logits">[vocabulary] f32; overwritten.</param>
    /// <param name="topTokens">Receives the most probable tokens; as long as the request asked.</param>
    /// <param name="topLogprobs">Receives their log-probabilities.</param>
    /// <exception cref="InvalidOperationException">The sampler returned an id outside the vocabulary.</exception>
    public TokenDraw Draw(
        Sequence sequence, ReadOnlySpan<int> tokens, TokenHistory history, Span<float> logits, Span<int> topTokens, Span<float> topLogprobs)
    {
        bool wantsLogprobs = sequence.Request.Original.Logprobs is not null;
        if (wantsLogprobs && _scale.Stage == LogitStage.Raw)
        {
            logits.CopyTo(_kept);
        }

        Process(sequence, tokens[sequence.Request.PromptLength..], history, logits);
        if (sequence.Request.Allowed is { } allowed)
        {
            KeepOnly(allowed, logits);
        }

        if (wantsLogprobs && _scale.Stage == LogitStage.Processed)
        {
            logits.CopyTo(_kept);
        }

        if (sequence.Request.Allowed is not null && LogitVector.Max(logits) <= Masked)
        {
            ThrowNothingLeft();
        }

        ISampler sampler = sequence.Request.Sampler;
        // Not HasFlag: before the method is optimised, that boxes.
        SamplerNeeds needs = sampler.Needs;
        var row = new SamplingRow
        {
            Logits = logits,
            Parameters = sequence.Request.Parameters,
            Random = new Philox(sequence.Request.Seed, tokens.Length, sequence.Request.RandomStream),
            TokenCounts = (needs & SamplerNeeds.TokenCounts) != 0 ? history.Counts : default,
            Tail = (needs & SamplerNeeds.Tail) != 0 ? tokens[Math.Max(0, tokens.Length - SamplerLimits.TailTokens)..] : default,
            Scratch = sequence.Progress.Scratch,
        };
        int drawn = sampler.Sample(ref row);
        if (drawn < 0)
        {
            ThrowOutOfRange(sampler, drawn);
        }

        CheckToken(sampler, drawn);

        if (!wantsLogprobs)
        {
            return new TokenDraw(drawn, 0, 0);
        }

        GenerationRequest asked = sequence.Request.Original;
        LogprobView.Apply(asked, _kept);
        (float logprob, int rank) = Rank(_kept, drawn, topTokens, topLogprobs);
        if (asked.LogprobTokens is { } named)
        {
            LogprobView.Read(named, _kept, _scale, topTokens, topLogprobs);
        }

        return new TokenDraw(drawn, logprob, rank);
    }

    private static void Process(Sequence sequence, ReadOnlySpan<int> output, TokenHistory history, Span<float> logits)
    {
        if (sequence.Request.Processors.Length == 0)
        {
            return;
        }

        sequence.AskMask(output);
        if (sequence.MaskFailure is { } failure)
        {
            throw failure;
        }

        var row = new LogitsRow { Logits = logits, Output = output, Mask = sequence.Mask };
        foreach (ProcessorState used in sequence.Request.Processors)
        {
            bool counts = (used.Processor.Needs & SamplerNeeds.TokenCounts) != 0;
            row.TokenCounts = counts ? history.Counts : default;
            row.SeenTokens = counts ? history.Distinct : default;
            used.Processor.Process(ref row, used.State);
        }
    }

    /// <summary>What is told of a token, its rank, and the most probable tokens, of a row.</summary>
    /// <param name="logits">[vocabulary] logits.</param>
    /// <param name="token">Token id.</param>
    /// <param name="topTokens">Receives the most probable tokens.</param>
    /// <param name="topLogprobs">Receives their log-probabilities.</param>
    public (float Logprob, int Rank) Rank(ReadOnlySpan<float> logits, int token, Span<int> topTokens, Span<float> topLogprobs)
    {
        double normalizer = LogitVector.LogSumExp(logits);
        LogitVector.Top(logits, topTokens, topLogprobs);
        foreach (ref float value in topLogprobs)
        {
            value = _scale.Of(value, normalizer);
        }

        return (_scale.Of(logits[token], normalizer), 1 + LogitVector.CountGreater(logits, logits[token]));
    }

    /// <summary>Refuses a token beyond the vocabulary.</summary>
    /// <param name="sampler">The sampler that drew it.</param>
    /// <param name="token">The token; what a device draws below 0 arrives as <see cref="int.MaxValue"/>.</param>
    /// <exception cref="InvalidOperationException">There is no such token.</exception>
    public void CheckToken(ISampler sampler, int token)
    {
        if (token >= _kept.Length)
        {
            ThrowOutOfRange(sampler, token);
        }
    }

    [DoesNotReturn, StackTraceHidden]
    private void ThrowOutOfRange(ISampler sampler, int token) => throw new InvalidOperationException(
        $"Sampler '{sampler.Name}' returned token {token}; the vocabulary has {_kept.Length} tokens.");

    [DoesNotReturn, StackTraceHidden]
    private static void ThrowNothingLeft() => throw new InvalidOperationException(
        "Nothing is left to draw: bad_words and the like mask every token that allowed_token_ids allows.");

    // Everything between the tokens, which ascend, is masked.
    private static void KeepOnly(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        int next = 0;
        foreach (int token in tokens)
        {
            logits[next..token].Fill(float.NegativeInfinity);
            next = token + 1;
        }

        logits[next..].Fill(float.NegativeInfinity);
    }
}
