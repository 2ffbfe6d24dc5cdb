using System.Diagnostics;
using System.Diagnostics.Metrics;
using Ernie.Engine.Sequences;
using Ernie.Generation;

namespace Ernie.Engine.Telemetry;

/// <summary>The engine's instruments. Recording allocates nothing: no tags but one, whose list is made beforehand.</summary>
internal sealed class EngineMeter : IDisposable
{
    private readonly Meter _meter;
    private readonly Histogram<double> _timeToFirstToken, _interTokenLatency, _timePerOutputToken, _requestLatency;
    private readonly Histogram<double> _queueTime, _prefillTime, _decodeTime, _inferenceTime, _tokenRate, _stepTime, _stepHostTime;
    private readonly Histogram<long> _requestPromptTokens, _requestGenerationTokens, _requestComputedTokens, _requestPreemptions, _stepTokens;
    private readonly Counter<long> _promptTokens, _generationTokens, _finished, _preemptions, _queries, _hits, _misplaced;
    private readonly UpDownCounter<int> _preempted;
    private readonly TagList[] _finishTags;

    /// <summary>Makes the instruments.</summary>
    /// <param name="owner">The engine: the meter's scope.</param>
    /// <param name="statistics">Reads the gauges.</param>
    /// <param name="allocatedBytes">Reads what the loop allocated.</param>
    public EngineMeter(object owner, Func<EngineStatistics> statistics, Func<long> allocatedBytes)
    {
        _meter = new Meter(new MeterOptions(EngineInstruments.MeterName) { Scope = owner });
        _timeToFirstToken = Seconds(EngineInstruments.TimeToFirstToken, "Submission to first token");
        _interTokenLatency = Seconds(EngineInstruments.InterTokenLatency, "Between two tokens of a sequence");
        _timePerOutputToken = Seconds(EngineInstruments.TimePerOutputToken, "Mean time per token after the first");
        _requestLatency = Seconds(EngineInstruments.RequestLatency, "Submission to end");
        _queueTime = Seconds(EngineInstruments.QueueTime, "Submission to first admission");
        _prefillTime = Seconds(EngineInstruments.PrefillTime, "First admission to first token");
        _decodeTime = Seconds(EngineInstruments.DecodeTime, "First token to last token");
        _inferenceTime = Seconds(EngineInstruments.InferenceTime, "First admission to last token");
        _stepTime = Seconds(EngineInstruments.StepTime, "Launch of a step to its completion");
        _stepHostTime = Seconds(EngineInstruments.StepHostTime, "The loop's own work per step");
        _requestPromptTokens = _meter.CreateHistogram<long>(EngineInstruments.RequestPromptTokens, "{token}", "Prompt tokens of a sequence");
        _requestGenerationTokens = _meter.CreateHistogram<long>(EngineInstruments.RequestGenerationTokens, "{token}", "Generated tokens of a sequence");
        _requestComputedTokens = _meter.CreateHistogram<long>(EngineInstruments.RequestComputedTokens, "{token}", "Prompt tokens of a sequence that were computed");
        _requestPreemptions = _meter.CreateHistogram<long>(EngineInstruments.RequestPreemptions, "{preemption}", "Preemptions of a sequence");
        _tokenRate = _meter.CreateHistogram<double>(EngineInstruments.RequestTokenRate, "{token}/s", "Tokens of a sequence per second since its admission");
        _stepTokens = _meter.CreateHistogram<long>(EngineInstruments.StepTokens, "{token}", "Tokens computed in a step");
        _promptTokens = _meter.CreateCounter<long>(EngineInstruments.PromptTokens, "{token}", "Prompt tokens of admitted requests");
        _generationTokens = _meter.CreateCounter<long>(EngineInstruments.GenerationTokens, "{token}", "Tokens generated");
        _finished = _meter.CreateCounter<long>(EngineInstruments.RequestsFinished, "{request}", "Finished requests");
        _preemptions = _meter.CreateCounter<long>(EngineInstruments.Preemptions, "{request}", "Preemptions");
        _preempted = _meter.CreateUpDownCounter<int>(EngineInstruments.RequestsPreempted, "{request}", "Preempted requests that wait");
        _queries = _meter.CreateCounter<long>(EngineInstruments.PrefixCacheQueries, "{token}", "Prompt tokens looked up in the prefix cache");
        _hits = _meter.CreateCounter<long>(EngineInstruments.PrefixCacheHits, "{token}", "Prompt tokens found in the prefix cache");
        _misplaced = _meter.CreateCounter<long>(EngineInstruments.Misplaced, "{finding}", "Pages, slots or leases that the idle engine found out of their place");
        _meter.CreateObservableGauge(EngineInstruments.RequestsRunning, () => statistics().Running, "{request}", "Requests with a slot");
        _meter.CreateObservableGauge(EngineInstruments.RequestsWaiting, () => statistics().Waiting, "{request}", "Requests in the queue");
        _meter.CreateObservableGauge(EngineInstruments.CacheUsage, () => Usage(statistics()), "1", "Part of the pages in use");
        _meter.CreateObservableGauge(EngineInstruments.FreePages, () => Free(statistics()), "{page}", "Pages free or evictable");
        _meter.CreateObservableCounter(EngineInstruments.LoopAllocatedBytes, allocatedBytes, "By", "Managed bytes allocated by the loop");

        _finishTags = new TagList[(int)FinishReason.Error + 1];
        string[] names = ["none", "stop", "length", "abort", "error"];
        for (int i = 0; i < names.Length; i++)
        {
            _finishTags[i].Add(EngineInstruments.FinishedReasonTag, names[i]);
        }
    }

    /// <summary>A sequence got a slot for the first time.</summary>
    public void Admitted(Sequence sequence)
    {
        _queueTime.Record(Elapsed(sequence.Times.Submitted, sequence.Times.Admitted));
        _promptTokens.Add(sequence.Request.PromptLength);
        _queries.Add(sequence.Request.PromptLength);
        _hits.Add(sequence.Stream.CachedTokens);
    }

    /// <summary>A sequence drew a token; its times are those before it.</summary>
    public void Token(Sequence sequence, long now)
    {
        _generationTokens.Add(1);
        if (sequence.Times.FirstToken == 0)
        {
            _timeToFirstToken.Record(Elapsed(sequence.Times.Submitted, now));
            _prefillTime.Record(Elapsed(sequence.Times.Admitted, now));
        }
        else
        {
            _interTokenLatency.Record(Elapsed(sequence.Times.LastToken, now));
        }
    }

    /// <summary>A sequence ended.</summary>
    public void Finished(Sequence sequence, FinishReason reason, long now)
    {
        Resumed(sequence);
        _finished.Add(1, in _finishTags[(int)reason]);
        _requestLatency.Record(Elapsed(sequence.Times.Submitted, now));
        _requestPromptTokens.Record(sequence.Request.PromptLength);
        _requestGenerationTokens.Record(sequence.Generated);
        if (sequence.Progress.WasAdmitted)
        {
            _requestComputedTokens.Record(sequence.Request.PromptLength - sequence.Stream.CachedTokens);
            _requestPreemptions.Record(sequence.Progress.Preemptions);
        }

        if (sequence.Times.FirstToken != 0)
        {
            double decode = Elapsed(sequence.Times.FirstToken, sequence.Times.LastToken);
            double inference = Elapsed(sequence.Times.Admitted, sequence.Times.LastToken);
            _decodeTime.Record(decode);
            _inferenceTime.Record(inference);
            if (inference > 0)
            {
                _tokenRate.Record(sequence.Generated / inference);
            }

            if (sequence.Generated > 1)
            {
                _timePerOutputToken.Record(decode / (sequence.Generated - 1));
            }
        }
    }

    /// <summary>A sequence lost its slot.</summary>
    public void Preempted(Sequence sequence)
    {
        sequence.Progress.Preemptions++;
        sequence.Progress.IsPreempted = true;
        _preemptions.Add(1);
        _preempted.Add(1);
    }

    /// <summary>A preempted sequence has a slot again, or has ended without one.</summary>
    public void Resumed(Sequence sequence)
    {
        if (sequence.Progress.IsPreempted)
        {
            _preempted.Add(-1);
        }

        sequence.Progress.IsPreempted = false;
    }

    /// <summary>The idle engine found something out of its place.</summary>
    public void Misplaced() => _misplaced.Add(1);

    /// <summary>A step was read.</summary>
    /// <param name="tokenCount">New positions over all rows.</param>
    /// <param name="beganAt">When it began.</param>
    /// <param name="completedAt">When its completion returned.</param>
    public void Step(int tokenCount, long beganAt, long completedAt)
    {
        _stepTime.Record(Elapsed(beganAt, completedAt));
        _stepTokens.Record(tokenCount);
    }

    /// <summary>The loop's own work for one step, in ticks of the stopwatch.</summary>
    public void HostTime(long ticks) => _stepHostTime.Record(ticks / (double)Stopwatch.Frequency);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private Histogram<double> Seconds(string name, string description) => _meter.CreateHistogram<double>(name, "s", description);

    private static double Elapsed(long from, long to) => (to - from) / (double)Stopwatch.Frequency;

    private static double Usage(EngineStatistics statistics) =>
        (double)statistics.PagesInUse / Math.Max(1, statistics.PagesInUse + statistics.PagesFree + statistics.PagesEvictable);

    private static int Free(EngineStatistics statistics) => statistics.PagesFree + statistics.PagesEvictable;
}
