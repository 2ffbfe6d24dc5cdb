using System.Collections.Concurrent;
using System.Diagnostics;
using Ernie.Engine.Sampling;
using Ernie.Engine.Scheduling;
using Ernie.Engine.Streaming;
using Ernie.Engine.Telemetry;
using Ernie.Execution;
using Ernie.Generation;

namespace Ernie.Engine;

/// <summary>
/// The one thread that owns the executor, the slots and the pages. A step is: take what callers asked for, fill the batch,
/// begin it, complete the oldest step in flight, hand out its tokens. Idle, it sleeps; running, it allocates nothing per step.
/// </summary>
internal sealed class EngineLoop : IDisposable
{
    // After this many failed steps in a row the executor is taken for broken.
    private const int FailuresUntilUnhealthy = 3;

    private readonly IExecutor _executor;
    private readonly IDeviceSampling? _device;
    private readonly Scheduler _scheduler;
    private readonly LogitsPipeline _pipeline;
    private readonly EngineMeter _meter;
    private readonly TimeProvider _clock;
    private readonly Action<string>? _warn;
    private readonly StepRecord[] _records;
    private readonly int[] _topTokens;
    private readonly float[] _topLogprobs;
    private readonly ConcurrentQueue<Sequence> _incoming = new();
    private readonly ConcurrentQueue<LoopCommand> _commands = new();
    private readonly List<LoopCommand> _drains = [];
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _thread;
    private readonly Lock _statisticsGate = new();
    private LoopCounters _published;
    private long _begun, _completed, _generated, _arrivals, _waitTicks;
    private int _failures, _cancels, _queued;
    private volatile bool _paused, _stopping, _closed, _inStep;
    private DateTimeOffset _lastStep;
    private volatile string? _failure;
    private long _allocatedBytes;

    /// <summary>Makes the loop; <see cref="Start"/> starts it.</summary>
    public EngineLoop(IExecutor executor, EngineSettings settings)
    {
        _executor = executor;
        _device = executor as IDeviceSampling;
        _clock = settings.Clock;
        _lastStep = _clock.GetUtcNow();
        _warn = settings.Warn;
        _meter = new EngineMeter(GetStatistics, () => Volatile.Read(ref _allocatedBytes));
        _scheduler = new Scheduler(executor.Info, settings, _meter, _device);
        _pipeline = new LogitsPipeline(executor.Info.VocabularySize);
        int depth = settings.Overlap ? Math.Max(1, executor.Info.MaxStepsInFlight) : 1;
        _records = new StepRecord[depth];
        for (int i = 0; i < depth; i++)
        {
            _records[i] = new StepRecord(_scheduler.MaxSequences);
        }

        _topTokens = new int[executor.Info.VocabularySize];
        _topLogprobs = new float[executor.Info.VocabularySize];
        Publish();
        _thread = new Thread(Run) { IsBackground = true, Name = "ernie-engine" };
    }

    /// <summary>Sequences that have been submitted and have not had a slot.</summary>
    public int Queued => Volatile.Read(ref _queued);

    /// <summary>Sequences that run at once.</summary>
    public int MaxSequences => _scheduler.MaxSequences;

    /// <summary>Slots nobody had when the loop last looked.</summary>
    public int FreeSlots => Math.Max(0, MaxSequences - GetStatistics().Running);

    /// <summary>Why the engine takes nothing any more; null while it is healthy.</summary>
    public string? Failure => _failure;

    /// <summary>Managed bytes that the loop's thread has allocated, after its latest step.</summary>
    public long AllocatedBytes => Volatile.Read(ref _allocatedBytes);

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>Hands a sequence over.</summary>
    public void Submit(Sequence sequence)
    {
        Interlocked.Increment(ref _queued);
        _incoming.Enqueue(sequence);
        _wake.Set();
        TurnAwayLate();
    }

    /// <summary>Says that nobody reads a sequence any more.</summary>
    public void Cancel(Sequence sequence)
    {
        sequence.CancelRequested = true;
        Interlocked.Increment(ref _cancels);
        _wake.Set();
    }

    /// <summary>Admits nothing new, or again.</summary>
    public void SetPaused(bool paused)
    {
        _paused = paused;
        _wake.Set();
    }

    /// <summary>Asks something of the loop.</summary>
    public Task<int> Send(LoopCommandKind kind)
    {
        var answer = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _commands.Enqueue(new LoopCommand(kind, answer));
        _wake.Set();
        TurnAwayLate();
        return answer.Task;
    }

    /// <summary>Ends every request and the thread.</summary>
    public void Stop()
    {
        _stopping = true;
        _wake.Set();
        if (_thread.ThreadState.HasFlag(System.Threading.ThreadState.Unstarted))
        {
            CloseDown();
        }
        else
        {
            _thread.Join();
        }
    }

    /// <summary>Counters and gauges after the latest step.</summary>
    public EngineStatistics GetStatistics()
    {
        LoopCounters counters;
        lock (_statisticsGate)
        {
            counters = _published;
        }

        return counters.ToStatistics(_incoming.Count, _inStep, _failure);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The event stays: a reader that ends late still sets it.
        _meter.Dispose();
        _scheduler.Dispose();
    }

    private int StepsInFlight => (int)(_begun - _completed);

    private void Run()
    {
        while (!_stopping)
        {
            long startedAt = Stopwatch.GetTimestamp();
            _waitTicks = 0;
            HandleCallers();
            bool launched = TryLaunch();
            if (StepsInFlight == 0)
            {
                FailWhatCannotRun();
                AnswerDrains();
                Publish();
                _wake.WaitOne();
                continue;
            }

            if (StepsInFlight == _records.Length || !launched)
            {
                CompleteOldest();
                Publish();
                _meter.HostTime(Stopwatch.GetTimestamp() - startedAt - _waitTicks);
            }

            Volatile.Write(ref _allocatedBytes, GC.GetAllocatedBytesForCurrentThread());
        }

        CloseDown();
    }

    private void CloseDown()
    {
        HandleCallers();
        while (StepsInFlight > 0)
        {
            CompleteOldest();
        }

        EndAll(FinishReason.Aborted, null);
        AnswerDrains();
        Publish();
        _executor.Dispose();
        _closed = true;
        TurnAwayLate();
    }

    // What was handed over after the thread had looked for the last time is answered by whoever comes by.
    private void TurnAwayLate()
    {
        if (!_closed)
        {
            return;
        }

        while (_incoming.TryDequeue(out Sequence? sequence))
        {
            var aborted = new TokenEvent { Token = -1, StopToken = -1, FinishReason = FinishReason.Aborted };
            sequence.Stream.Publish(in aborted, default, default);
        }

        while (_commands.TryDequeue(out LoopCommand? command))
        {
            command.Answer.SetResult(0);
        }
    }

    private void HandleCallers()
    {
        while (_incoming.TryDequeue(out Sequence? sequence))
        {
            sequence.Arrival = ++_arrivals;
            _scheduler.Waiting.Add(sequence);
        }

        if (Volatile.Read(ref _cancels) > 0)
        {
            Interlocked.Exchange(ref _cancels, 0);
            EndCancelled();
        }

        while (_commands.TryDequeue(out LoopCommand? command))
        {
            switch (command.Kind)
            {
                case LoopCommandKind.Abort:
                    command.Answer.SetResult(EndAll(FinishReason.Aborted, null));
                    break;
                case LoopCommandKind.ResetCache:
                    int freed = _scheduler.Cache.Evict(_scheduler.Cache.EvictablePages);

                    // Whoever has the answer sees what it did in the statistics.
                    Publish();
                    command.Answer.SetResult(freed);
                    break;
                default:
                    _drains.Add(command);
                    break;
            }
        }
    }

    private void EndCancelled()
    {
        for (Sequence? sequence = _scheduler.Waiting.First; sequence is not null;)
        {
            Sequence? next = sequence.Next;
            if (sequence.CancelRequested)
            {
                End(sequence, FinishReason.Aborted, null);
            }

            sequence = next;
        }

        for (int i = _scheduler.Running.Count - 1; i >= 0; i--)
        {
            if (_scheduler.Running[i].CancelRequested)
            {
                End(_scheduler.Running[i], FinishReason.Aborted, null);
            }
        }
    }

    private bool TryLaunch()
    {
        StepRecord record = _records[_begun % _records.Length];
        if (StepsInFlight == _records.Length || !_scheduler.Fill(record, _paused || _failure is not null, StepsInFlight))
        {
            return false;
        }

        NoteAdmissions();
        if (record.RowCount == 0)
        {
            return false;
        }

        long beganAt = Stopwatch.GetTimestamp();
        try
        {
            _inStep = true;
            _executor.Begin(_scheduler.Batch);
        }
#pragma warning disable CA1031 // Whatever the executor throws ends these requests, not the loop.
        catch (Exception e)
#pragma warning restore CA1031
        {
            FailStep(record, e, committed: false);
            return false;
        }

        if (_records.Length == 1)
        {
            // Without overlap the device's work may happen in here; it is not the loop's own.
            _waitTicks += Stopwatch.GetTimestamp() - beganAt;
        }

        record.BeganAt = beganAt;
        record.Number = ++_begun;
        Scheduler.Commit(record);
        return true;
    }

    // A preempted sequence waits again without counting against the bound of the queue.
    private void NoteAdmissions()
    {
        StepRecord record = _records[_begun % _records.Length];
        for (int row = record.RowCount - 1; row >= 0; row--)
        {
            Sequence sequence = record.Sequences[row]!; // Filled rows have a sequence.
            if (sequence.IsQueued)
            {
                LeaveQueue(sequence);
            }
        }
    }

    private void LeaveQueue(Sequence sequence)
    {
        if (sequence.IsQueued)
        {
            sequence.IsQueued = false;
            Interlocked.Decrement(ref _queued);
        }
    }

    private void CompleteOldest()
    {
        StepRecord record = _records[_completed % _records.Length];
        StepOutput output;
        long waitedAt = Stopwatch.GetTimestamp();
        try
        {
            output = _executor.Complete();
        }
#pragma warning disable CA1031 // Whatever the executor throws ends these requests, not the loop.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _completed++;
            FailStep(record, e, committed: true);
            return;
        }

        long now = Stopwatch.GetTimestamp();
        _waitTicks += now - waitedAt;
        _completed++;
        _failures = 0;
        _lastStep = _clock.GetUtcNow();
        _inStep = StepsInFlight > 0;
        _scheduler.Pool.StepCompleted(record.Number);
        for (int row = 0; row < record.RowCount; row++)
        {
            ReadRow(record, row, output, now);
        }

        _meter.Step(record, now);
    }

    private void ReadRow(StepRecord record, int row, StepOutput output, long now)
    {
        Sequence sequence = record.Sequences[row]!; // Filled rows have a sequence.
        record.Sequences[row] = null;
        sequence.RowsInFlight--;
        sequence.PendingTokens -= record.Samples[row] ? 1 : 0;
        if (sequence.State == SequenceState.Retiring)
        {
            ReleaseIfUnused(sequence);
            return;
        }

        try
        {
            ReadPrompt(sequence, record, row, output);
            _scheduler.OfferPages(sequence, record.Start[row] + record.Count[row], _begun);
            if (record.Samples[row])
            {
                ReadToken(sequence, record.LogitCount[row] - 1, row, output, now);
            }
            else if (record.Start[row] + record.Count[row] == sequence.Length && sequence.RowsInFlight == 0)
            {
                // Nothing is to be drawn: the prompt was all that was asked for.
                End(sequence, sequence.Prompt.WantsEmbedding ? FinishReason.Stop : FinishReason.Length, null);
            }
        }
#pragma warning disable CA1031 // A sampler is a plugin: what it throws ends its request alone.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (sequence.State == SequenceState.Running)
            {
                End(sequence, FinishReason.Error, Describe(e));
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
            ReadOnlySpan<int> tokens = _scheduler.Tokens(sequence);
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
        int topCount = sequence.Request.Logprobs ?? 0;
        Span<int> topTokens = _topTokens.AsSpan(0, topCount);
        Span<float> topLogprobs = _topLogprobs.AsSpan(0, topCount);
        int sampled = sequence.SampledOnDevice ? output.SampledToken(row) : -1;
        TokenDraw draw = sampled >= 0
            ? new TokenDraw(sampled, 0, 0)
            : _pipeline.Draw(
                sequence, _scheduler.Tokens(sequence), _scheduler.History(sequence), output.Logits(row, logitIndex), topTokens, topLogprobs);

        _scheduler.Append(sequence, draw.Token);
        _generated++;
        _meter.Token(sequence, now);
        if (sequence.FirstTokenAt == 0)
        {
            sequence.FirstTokenAt = now;
        }

        sequence.LastTokenAt = now;
        var tokenEvent = new TokenEvent { Token = draw.Token, StopToken = -1, Logprob = draw.Logprob, Rank = draw.Rank };
        if (sequence.Generated > sequence.Request.Sampling.MinTokens && sequence.StopTokens.AsSpan().Contains(draw.Token))
        {
            tokenEvent.FinishReason = FinishReason.Stop;
            tokenEvent.StopToken = sequence.IsStopToken(draw.Token) ? draw.Token : -1;
        }
        else if (sequence.Length == sequence.MaxLength)
        {
            tokenEvent.FinishReason = FinishReason.Length;
        }

        sequence.FirstEventSent = true;
        if (tokenEvent.FinishReason != FinishReason.None)
        {
            Leave(sequence, tokenEvent.FinishReason);
        }

        sequence.Stream.Publish(in tokenEvent, topTokens, topLogprobs);
    }

    private void End(Sequence sequence, FinishReason reason, string? error)
    {
        sequence.Error = error;
        Leave(sequence, reason);
        var tokenEvent = new TokenEvent { Token = -1, StopToken = -1, FinishReason = reason };
        sequence.FirstEventSent = true;
        sequence.Stream.Publish(in tokenEvent, default, default);
    }

    // Pages go back before the reader hears of the end, so that a caller who has seen it finds them free.
    private void Leave(Sequence sequence, FinishReason reason)
    {
        _meter.Finished(sequence, reason, Stopwatch.GetTimestamp());
        LeaveQueue(sequence);
        if (sequence.State == SequenceState.Waiting)
        {
            _scheduler.Waiting.Remove(sequence);
            sequence.State = SequenceState.Ended;
        }
        else
        {
            _scheduler.Retire(sequence);
            ReleaseIfUnused(sequence);
        }

        Publish();
    }

    private void ReleaseIfUnused(Sequence sequence)
    {
        if (sequence.RowsInFlight == 0)
        {
            _scheduler.Release(sequence);
        }
    }

    private int EndAll(FinishReason reason, string? error)
    {
        int count = 0;
        while (_incoming.TryDequeue(out Sequence? sequence))
        {
            sequence.Arrival = ++_arrivals;
            _scheduler.Waiting.Add(sequence);
        }

        for (; _scheduler.Waiting.First is { } waiting; count++)
        {
            End(waiting, reason, error);
        }

        for (; _scheduler.Running.Count > 0; count++)
        {
            End(_scheduler.Running[^1], reason, error);
        }

        return count;
    }

    private void FailStep(StepRecord record, Exception exception, bool committed)
    {
        string error = Describe(exception);
        _inStep = StepsInFlight > 0;
        _warn?.Invoke($"ERN5001: a step of {record.RowCount} sequences failed: {error}");
        for (int row = 0; row < record.RowCount; row++)
        {
            Sequence sequence = record.Sequences[row]!; // Filled rows have a sequence.
            record.Sequences[row] = null;
            if (committed)
            {
                sequence.RowsInFlight--;
                sequence.PendingTokens -= record.Samples[row] ? 1 : 0;
            }

            if (sequence.State == SequenceState.Running)
            {
                End(sequence, FinishReason.Error, error);
            }
            else
            {
                ReleaseIfUnused(sequence);
            }
        }

        record.RowCount = 0;
        _scheduler.Pool.StepCompleted(_completed);
        if (++_failures >= FailuresUntilUnhealthy && _failure is null)
        {
            _failure = $"{FailuresUntilUnhealthy} steps in a row failed, the last one with {error}";
            _warn?.Invoke($"ERN5002: the engine stops: {_failure}");
        }

        if (_failure is not null)
        {
            EndAll(FinishReason.Error, _failure);
        }
    }

    // With nothing running every page is free or evictable, so the first in the queue fits; unless a cache policy keeps back what it promised.
    private void FailWhatCannotRun()
    {
        if (_failure is not null)
        {
            EndAll(FinishReason.Error, _failure);
        }
        else if (!_paused && _scheduler.Running.Count == 0 && _incoming.IsEmpty && _scheduler.Waiting.First is { } sequence)
        {
            End(sequence, FinishReason.Error, "The cache policy frees no pages, so the request cannot run.");
            _wake.Set();
        }
    }

    private void AnswerDrains()
    {
        if (_drains.Count > 0 && _scheduler.SlotsInUse == 0 && _scheduler.Waiting.Count == 0 && _incoming.IsEmpty)
        {
            foreach (LoopCommand command in _drains)
            {
                command.Answer.SetResult(0);
            }

            _drains.Clear();
        }
    }

    private static string Describe(Exception e) => $"{e.GetType().Name}: {e.Message}";

    private void Publish()
    {
        int evictable = _scheduler.Cache.EvictablePages;
        var counters = new LoopCounters
        {
            Running = _scheduler.Running.Count,
            Waiting = _scheduler.Waiting.Count,
            PagesFree = _scheduler.Pool.FreeCount,
            PagesEvictable = evictable,
            PagesInUse = _scheduler.Pool.PageCount - _scheduler.Pool.FreeCount - evictable,
            Steps = _completed,
            PromptTokens = _scheduler.PromptTokens,
            CachedTokens = _scheduler.CachedTokens,
            GeneratedTokens = _generated,
            Preemptions = _scheduler.Preemptions,
            LastStep = _lastStep,
        };
        lock (_statisticsGate)
        {
            _published = counters;
        }
    }
}
