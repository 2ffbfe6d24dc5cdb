using Ernie.Engine.Sampling;
using Ernie.Engine.Scheduling;
using Ernie.Engine.Sequences;
using Ernie.Engine.Streaming;
using Ernie.Engine.Telemetry;
using Ernie.Execution;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Looping;

/// <summary>Reads a completed step: draws tokens or takes those that the device drew, hands them out, ends the sequences that are through. Allocates nothing.</summary>
internal sealed class StepReader
{
    private readonly Scheduler _scheduler;
    private readonly Departures _departures;
    private readonly LoopStatistics _statistics;
    private readonly EngineMeter _meter;
    private readonly LogitsPipeline _pipeline;
    private readonly LogprobScale _scale;
    private readonly int[] _topTokens;
    private readonly float[] _topLogprobs;

    /// <summary>Makes a reader.</summary>
    public StepReader(Scheduler scheduler, Departures departures, LoopStatistics statistics, EngineMeter meter, int vocabularySize, LogprobsMode mode)
    {
        _scheduler = scheduler;
        _departures = departures;
        _statistics = statistics;
        _meter = meter;
        _scale = new LogprobScale(mode);
        _pipeline = new LogitsPipeline(vocabularySize, _scale);
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
        Sequence sequence = Scheduler.Settle(record, row);
        if (sequence.State == SequenceState.Retiring)
        {
            _departures.ReleaseIfUnused(sequence);
            return;
        }

        try
        {
            ReadPrompt(sequence, in record.Row(row), row, output);
            ReadPromptLogprobs(sequence, record, row, output);
            if (record.Draws(row))
            {
                ReadTokens(sequence, record, row, output, now, lastStep);
                return;
            }

            int computed = record.Row(row).Start + record.Row(row).Count;
            _scheduler.Memory.OfferPages(sequence, computed, lastStep);
            if (computed == sequence.Progress.Length && sequence.Progress.RowsInFlight == 0)
            {
                // Nothing is to be drawn: the prompt was all that was asked for.
                _departures.End(sequence, sequence.Prompt.WantsHidden ? FinishReason.Stop : FinishReason.Length, null);
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

    private void ReadPrompt(Sequence sequence, in StepRow added, int row, StepOutput output)
    {
        PromptResults prompt = sequence.Prompt;
        int start = added.Start;
        int end = Math.Min(start + added.Count, sequence.Request.PromptLength);
        if (added.Kind == StepRowKind.Pool)
        {
            for (int position = start; position < end; position++)
            {
                prompt.AddHidden(position, output.Hidden(row, position - start));
            }
        }

        if (sequence.WantsPromptLogits && added.LogitCount == added.Count)
        {
            // The logits at a position are those of the token after it.
            ReadOnlySpan<int> tokens = _scheduler.Memory.Tokens(sequence);
            for (int position = start + 1; position < Math.Min(end + 1, sequence.Request.PromptLength); position++)
            {
                (float logprob, int rank) = _pipeline.Rank(
                    output.Logits(row, position - start - 1), tokens[position], prompt.TopTokens(position), prompt.TopLogprobs(position));
                prompt.SetLogprob(position, logprob, rank);
            }
        }
    }

    private void ReadPromptLogprobs(Sequence sequence, StepRecord record, int row, StepOutput output)
    {
        PromptResults prompt = sequence.Prompt;
        for (int index = 0; index < record.PromptLogprobs(row); index++)
        {
            int position = record.Row(row).Start + 1 + index;
            TokenDraw told = _scale.Read(output.PromptLogprobs(row, index), prompt.TopTokens(position), prompt.TopLogprobs(position));
            prompt.SetLogprob(position, told.Logprob, told.Rank);
        }
    }

    // The rule of StepRowKind.Verify, of which a row without drafts is the case k = 0: tokens are drawn until one is not the draft of its position,
    // ends the sequence, or stands behind the last draft. Each is appended before the next is drawn, so penalties, bad words, min tokens and the
    // sampler's scratch see exactly the tokens before their position.
    private void ReadTokens(Sequence sequence, StepRecord record, int row, StepOutput output, long now, long lastStep)
    {
        ref readonly StepRow added = ref record.Row(row);
        ReadOnlySpan<int> drafts = record.Drafts(row);
        if (sequence.MaskFailure is { } failure)
        {
            throw failure;
        }

        ReadOnlySpan<int> drawn = sequence.Request.SampledOnDevice ? DrawnOnDevice(sequence, output, row, drafts.Length) : [];
        int firstLogits = added.LogitCount - 1 - drafts.Length;
        int topCount = sequence.Request.TopCount;
        Span<int> topTokens = _topTokens.AsSpan(0, topCount);
        Span<float> topLogprobs = _topLogprobs.AsSpan(0, topCount);
        bool isLast = false;
        for (int i = 0; !isLast; i++)
        {
            TokenDraw draw = drawn.IsEmpty
                ? _pipeline.Draw(
                    sequence, _scheduler.Memory.Tokens(sequence), _scheduler.Memory.History(sequence), output.Logits(row, firstLogits + i), topTokens, topLogprobs)
                : sequence.Request.Original.Logprobs is null ? new TokenDraw(drawn[i], 0, 0) : _scale.Read(output.Logprobs(row), topTokens, topLogprobs);
            Append(sequence, draw.Token, now);
            RowEnd end = sequence.EndAfter(draw.Token);
            bool stops = end != RowEnd.GoesOn || i == drafts.Length || draw.Token != drafts[i];
            isLast = drawn.IsEmpty ? stops : i == drawn.Length - 1;
            if (!drawn.IsEmpty)
            {
                CheckDevice(sequence, stops, isLast, end, output.End(row));
            }

            if (isLast)
            {
                int rejected = drafts.Length - i;
                sequence.Progress.Computed -= rejected;
                _scheduler.Memory.OfferPages(sequence, added.Start + added.Count - rejected, lastStep);
            }

            Tell(sequence, in draw, end, topTokens, topLogprobs);
        }
    }

    private ReadOnlySpan<int> DrawnOnDevice(Sequence sequence, StepOutput output, int row, int draftCount)
    {
        ReadOnlySpan<int> drawn = output.Tokens(row);
        if (drawn.IsEmpty && output.End(row) is not RowEnd.Undecided and RowEnd ended)
        {
            throw new InvalidOperationException(
                $"The device had ended the row before ({ended}), after {sequence.Progress.Length} tokens of {sequence.Request.MaxLength}; the engine had not.");
        }

        if (drawn.Length > draftCount + 1)
        {
            throw new InvalidOperationException($"The device drew {drawn.Length} tokens for a row with {draftCount} drafts.");
        }

        foreach (int token in drawn)
        {
            _pipeline.CheckToken(sequence.Request.Sampler, token);
        }

        return drawn;
    }

    // A device that stops elsewhere, or for another reason, has another state than the engine, and every later token would be wrong.
    private static void CheckDevice(Sequence sequence, bool stops, bool isLast, RowEnd end, RowEnd told)
    {
        if (stops != isLast || (isLast && told != RowEnd.Undecided && told != end))
        {
            throw new InvalidOperationException(
                $"The device {(isLast ? $"stopped ({told})" : "went on")} after {sequence.Progress.Length} tokens of {sequence.Request.MaxLength}, where the engine {(stops ? $"stops ({end})" : "goes on")}.");
        }
    }

    private void Append(Sequence sequence, int token, long now)
    {
        _scheduler.Memory.Append(sequence, token);
        _statistics.TokenDrawn();
        _meter.Token(sequence, now);
        sequence.Times.TokenDrawn(now);
    }

    private void Tell(Sequence sequence, in TokenDraw draw, RowEnd end, ReadOnlySpan<int> topTokens, ReadOnlySpan<float> topLogprobs)
    {
        var tokenEvent = new TokenEvent { Token = draw.Token, StopToken = -1, Logprob = draw.Logprob, Rank = draw.Rank };
        if (end == RowEnd.StopToken)
        {
            tokenEvent.FinishReason = FinishReason.Stop;
            tokenEvent.StopToken = sequence.Request.IsStopToken(draw.Token) ? draw.Token : -1;
        }
        else if (end == RowEnd.MaxLength)
        {
            tokenEvent.FinishReason = FinishReason.Length;
        }

        sequence.Progress.FirstEventSent = true;
        if (tokenEvent.FinishReason != FinishReason.None)
        {
            _departures.Leave(sequence, tokenEvent.FinishReason);
        }

        sequence.Stream.Publish(in tokenEvent, topTokens, topLogprobs);
    }
}
