using System.Diagnostics;
using Ernie.Engine.Sampling;
using Ernie.Engine.Scheduling;
using Ernie.Engine.Streaming;
using Ernie.Engine.Telemetry;
using Ernie.Execution;
using Ernie.Generation;

namespace Ernie.Engine.Looping;

/// <summary>Reads a completed step: draws tokens, hands them out, ends the sequences that are through. Allocates nothing.</summary>
internal sealed class StepReader
{
    private readonly Scheduler _scheduler;
    private readonly Departures _departures;
    private readonly LoopStatistics _statistics;
    private readonly EngineMeter _meter;
    private readonly LogitsPipeline _pipeline;
    private readonly int[] _topTokens;
    private readonly float[] _topLogprobs;

    /// <summary>Makes a reader.</summary>
    public StepReader(Scheduler scheduler, Departures departures, LoopStatistics statistics, EngineMeter meter, int vocabularySize)
    {
        _scheduler = scheduler;
        _departures = departures;
        _statistics = statistics;
        _meter = meter;
        _pipeline = new LogitsPipeline(vocabularySize);
        _topTokens = new int[vocabularySize];
        _topLogprobs = new float[vocabularySize];
    }

    /// <summary>Reads every row.</summary>
    /// <param name="record">What the step was made of.</param>
    /// <param name="output">What it produced.</param>
    /// <param name="now">When it completed; ticks of the stopwatch.</param>
    /// <param name="lastStep">Number of the last step begun.</param>
    public void Read(StepRecord record, StepOutput output, long now, long lastStep)
    {
        for (int row = 0; row < record.RowCount; row++)
        {
            ReadRow(record, row, output, now, lastStep);
        }
    }

    private void ReadRow(StepRecord record, int row, StepOutput output, long now, long lastStep)
    {
        Sequence sequence = record.TakeRow(row);
        sequence.RowsInFlight--;
        sequence.PendingTokens -= record.Samples[row] ? 1 : 0;
        if (sequence.State == SequenceState.Retiring)
        {
            _departures.ReleaseIfUnused(sequence);
            return;
        }

        try
        {
            ReadPrompt(sequence, record, row, output);
            int computed = record.Start[row] + record.Count[row];
            _scheduler.Memory.OfferPages(sequence, computed, lastStep);
            if (record.Samples[row])
            {
                ReadToken(sequence, record.LogitCount[row] - 1, row, output, now);
            }
            else if (computed == sequence.Length && sequence.RowsInFlight == 0)
            {
                // Nothing is to be drawn: the prompt was all that was asked for.
                _departures.End(sequence, sequence.Prompt.WantsEmbedding ? FinishReason.Stop : FinishReason.Length, null);
            }
        }
#pragma warning disable CA1031 // A sampler is a plugin: what it throws ends its request alone.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (sequence.State == SequenceState.Running)
            {
                _departures.End(sequence, FinishReason.Error, EngineLoop.Describe(e));
            }
        }
    }

    private void ReadPrompt(Sequence sequence, StepRecord record, int row, StepOutput output)
    {
        PromptResults prompt = sequence.Prompt;
        int start = record.Start[row];
        int end = Math.Min(start + record.Count[row], sequence.PromptLength);
        if (prompt.WantsEmbedding)
        {
            for (int position = start; position < end; position++)
            {
                prompt.AddHidden(position, output.Hidden(row, position - start));
            }
        }

        if (prompt.WantsLogprobs && !sequence.FirstEventSent && record.LogitCount[row] == record.Count[row])
        {
            // The logits at a position are those of the token after it.
            ReadOnlySpan<int> tokens = _scheduler.Memory.Tokens(sequence);
            for (int position = start + 1; position < Math.Min(end + 1, sequence.PromptLength); position++)
            {
                (float logprob, int rank) = LogitsPipeline.Rank(
                    output.Logits(row, position - start - 1), tokens[position], prompt.TopTokens(position), prompt.TopLogprobs(position));
                prompt.SetLogprob(position, logprob, rank);
            }
        }
    }

    private void ReadToken(Sequence sequence, int logitIndex, int row, StepOutput output, long now)
    {
        int topCount = sequence.TopCount;
        Span<int> topTokens = _topTokens.AsSpan(0, topCount);
        Span<float> topLogprobs = _topLogprobs.AsSpan(0, topCount);
        int sampled = sequence.SampledOnDevice && output.Tokens(row) is [int token] ? token : -1;
        RowEnd end = sequence.SampledOnDevice ? output.End(row) : RowEnd.Undecided;
        if (sampled < 0 && end != RowEnd.Undecided)
        {
            throw new InvalidOperationException($"The device had ended the row before ({end}), after {sequence.Length} tokens of {sequence.MaxLength}; the engine had not.");
        }

        _pipeline.CheckToken(sequence.Sampler, sampled);
        TokenDraw draw = sampled >= 0
            ? new TokenDraw(sampled, 0, 0)
            : _pipeline.Draw(
                sequence, _scheduler.Memory.Tokens(sequence), _scheduler.Memory.History(sequence), output.Logits(row, logitIndex), topTokens, topLogprobs);

        _scheduler.Memory.Append(sequence, draw.Token);
        _statistics.TokenDrawn();
        _meter.Token(sequence, now);
        if (sequence.FirstTokenAt == 0)
        {
            sequence.FirstTokenAt = now;
        }

        sequence.LastTokenAt = now;
        var tokenEvent = new TokenEvent { Token = draw.Token, StopToken = -1, Logprob = draw.Logprob, Rank = draw.Rank };
        Debug.Assert(end == RowEnd.Undecided || end == sequence.EndAfter(draw.Token), "The device and the engine end a sequence by the same rule.");
        end = end == RowEnd.Undecided ? sequence.EndAfter(draw.Token) : end;
        if (end == RowEnd.StopToken)
        {
            tokenEvent.FinishReason = FinishReason.Stop;
            tokenEvent.StopToken = sequence.IsStopToken(draw.Token) ? draw.Token : -1;
        }
        else if (end == RowEnd.MaxLength)
        {
            tokenEvent.FinishReason = FinishReason.Length;
        }

        sequence.FirstEventSent = true;
        if (tokenEvent.FinishReason != FinishReason.None)
        {
            _departures.Leave(sequence, tokenEvent.FinishReason);
        }

        sequence.Stream.Publish(in tokenEvent, topTokens, topLogprobs);
    }
}
