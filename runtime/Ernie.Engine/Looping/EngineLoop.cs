using System.Diagnostics;
using Ernie.Engine.Scheduling;
using Ernie.Engine.Sequences;
using Ernie.Engine.Settings;
using Ernie.Engine.Telemetry;
using Ernie.Execution;
using Ernie.Generation;

namespace Ernie.Engine.Looping;

/// <summary>
/// The one thread that owns the executor, the slots and the pages. A step is four calls: receive what callers ask for, schedule the rows, run them,
/// read the oldest step in flight. Idle, it sleeps; running, it allocates nothing per step.
/// </summary>
internal sealed class EngineLoop : IDisposable
{
    private readonly Scheduler _scheduler;
    private readonly StepPipeline _steps;
    private readonly LoopInbox _inbox = new();
    private readonly LoopStatistics _statistics;
    private readonly Departures _departures;
    private readonly LoopCommands _commands;
    private readonly StepFailures _failures;
    private readonly StepReader _reader;
    private readonly IdleCheck _idleCheck;
    private readonly EngineMeter _meter;
    private readonly Thread _thread;
    private long _turnBeganAt, _waitTicks, _allocatedBytes;
    private bool _isPausedNow;
    private volatile bool _paused, _stopping;

    /// <summary>Makes the loop; <see cref="Start"/> starts it.</summary>
    /// <param name="executor">Runs the model; disposed by the loop's thread at its end.</param>
    /// <param name="settings">Everything else.</param>
    /// <param name="owner">The engine, by which listeners tell its instruments from another's.</param>
    public EngineLoop(IExecutor executor, EngineSettings settings, object owner)
    {
        _statistics = new LoopStatistics(_inbox, settings.Clock);
        _meter = new EngineMeter(owner, _statistics.Read, () => AllocatedBytes);
        _scheduler = new Scheduler(executor.Info, settings, _meter, executor.Sampling);
        _steps = new StepPipeline(executor, settings.Overlap ? Math.Max(1, executor.Info.MaxStepsInFlight) : 1, _scheduler.CreateRecord);
        _departures = new Departures(_scheduler, _inbox, _statistics, _meter);
        _commands = new LoopCommands(_scheduler, _departures, _inbox, _statistics);
        _failures = new StepFailures(_scheduler, _departures, _statistics, settings.Warn);
        _reader = new StepReader(_scheduler, _departures, _statistics, _meter, executor.Info.VocabularySize, settings.LogprobsMode);
        _idleCheck = new IdleCheck(_scheduler, _meter, settings.Warn);
        Publish();
        _thread = new Thread(RunSteps) { IsBackground = true, Name = "ernie-engine" };
    }

    /// <summary>Sequences that have been submitted and have not had a slot.</summary>
    public int Queued => _inbox.Queued;

    /// <summary>Sequences that run at once.</summary>
    public int MaxSequences => _scheduler.MaxSequences;

    /// <summary>Slots nobody had when the loop last looked.</summary>
    public int FreeSlots => Math.Max(0, MaxSequences - GetStatistics().Running);

    /// <summary>Why the engine takes nothing any more; null while it is healthy.</summary>
    public string? Failure => _statistics.Failure;

    /// <summary>Managed bytes that the loop's thread has allocated, after its latest step.</summary>
    public long AllocatedBytes => Volatile.Read(ref _allocatedBytes);

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>Hands a sequence over.</summary>
    public void Submit(Sequence sequence) => _inbox.Submit(sequence);

    /// <summary>Says that nobody reads some sequence any more.</summary>
    public void NoteAbandoned() => _inbox.NoteAbandoned();

    /// <summary>Asks something of the loop.</summary>
    public Task<int> Send(LoopCommandKind kind) => _inbox.Send(kind);

    /// <summary>Admits nothing new, or again.</summary>
    public void SetPaused(bool paused)
    {
        _paused = paused;
        _inbox.Wake();
    }

    /// <summary>Ends every request and the thread.</summary>
    public void Stop()
    {
        _stopping = true;
        _inbox.Wake();
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
    public EngineStatistics GetStatistics() => _statistics.Read();

    /// <inheritdoc/>
    public void Dispose()
    {
        _meter.Dispose();
        _scheduler.Dispose();
    }

    /// <summary>An exception in the words of an event's error.</summary>
    internal static string Describe(Exception e) => $"{e.GetType().Name}: {e.Message}";

    private void RunSteps()
    {
        while (!_stopping)
        {
            Receive();
            StepRecord? next = Schedule();
            bool begun = Run(next);
            bool hasSteps = Read(mayRunAhead: begun);
            if (!hasSteps)
            {
                Rest();
            }
        }

        CloseDown();
    }

    private void Receive()
    {
        (_turnBeganAt, _waitTicks) = (Stopwatch.GetTimestamp(), 0);
        // One look a turn: who resumes the engine meanwhile must not end requests that this turn did not try to admit.
        _isPausedNow = _paused;
        _inbox.MoveSequences(_scheduler.Waiting);
        if (_inbox.TakeAbandonments())
        {
            _departures.EndAbandoned();
        }

        _commands.Handle();
    }

    private StepRecord? Schedule()
    {
        if (_steps.IsFull || !_scheduler.Fill(_steps.Next, _isPausedNow || Failure is not null, _steps.Count))
        {
            return null;
        }

        StepRecord record = _steps.Next;
        for (int row = record.RowCount - 1; row >= 0; row--)
        {
            _inbox.LeaveQueue(record.Sequence(row));
        }

        return record;
    }

    private bool Run(StepRecord? record)
    {
        if (record is null)
        {
            return false;
        }

        try
        {
            _statistics.StepInFlight = true;
            _steps.Begin(_scheduler.Batch);
        }
#pragma warning disable CA1031 // Whatever the executor throws ends these requests, not the loop.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _statistics.StepInFlight = _steps.Count > 0;
            _failures.StepFailed(record, e, committed: false, _steps.Completed);
            return false;
        }

        if (!_steps.Overlaps)
        {
            // Without overlap the device's work may happen in here; it is not the loop's own.
            _waitTicks += Stopwatch.GetTimestamp() - record.BeganAt;
        }

        Scheduler.Commit(record);
        return true;
    }

    // Reads the oldest step, unless another may begin before. False when there is none.
    private bool Read(bool mayRunAhead)
    {
        if (_steps.Count == 0)
        {
            return false;
        }

        if (_steps.IsFull || !mayRunAhead)
        {
            CompleteOldest();
            Publish();
            _meter.HostTime(Stopwatch.GetTimestamp() - _turnBeganAt - _waitTicks);
        }

        Volatile.Write(ref _allocatedBytes, GC.GetAllocatedBytesForCurrentThread());
        return true;
    }

    private void CompleteOldest()
    {
        StepRecord record = _steps.Oldest;
        StepOutput output;
        long waitedAt = Stopwatch.GetTimestamp();
        try
        {
            output = _steps.Complete();
        }
#pragma warning disable CA1031 // Whatever the executor throws ends these requests, not the loop.
        catch (Exception e)
#pragma warning restore CA1031
        {
            EndStep();
            _failures.StepFailed(record, e, committed: true, _steps.Completed);
            return;
        }

        long now = Stopwatch.GetTimestamp();
        _waitTicks += now - waitedAt;
        EndStep();
        _failures.StepSucceeded();
        _statistics.StepCompleted();
        _scheduler.Memory.Pool.StepCompleted(record.Number);
        _reader.Read(record, output, now, _steps.Begun);
        _meter.Step(record.TokenCount, record.BeganAt, now);
    }

    private void EndStep()
    {
        _statistics.StepEnded();
        _statistics.StepInFlight = _steps.Count > 0;
    }

    private void Rest()
    {
        FailWhatCannotRun();
        if (_scheduler.Running.Count == 0)
        {
            _idleCheck.Run(_steps.Begun);
        }

        _commands.AnswerDrains();
        Publish();
        _inbox.Wait();
    }

    private void CloseDown()
    {
        Receive();
        while (_steps.Count > 0)
        {
            CompleteOldest();
        }

        _departures.EndAll(FinishReason.Aborted, null);
        _commands.AnswerDrains();
        Publish();
        _steps.Close();
        _inbox.Close();
    }

    // With nothing running every page is free or evictable, so the first in the queue fits; unless a cache policy keeps back what it promised.
    private void FailWhatCannotRun()
    {
        if (Failure is not null)
        {
            _departures.EndAll(FinishReason.Error, Failure);
        }
        else if (!_isPausedNow && _scheduler.Running.Count == 0 && _inbox.HasNoSequence && _scheduler.Waiting.First is { } sequence)
        {
            _departures.End(sequence, FinishReason.Error, "The cache policy frees no pages, so the request cannot run.");
            _inbox.Wake();
        }
    }

    private void Publish() => _statistics.Publish(_scheduler);
}
