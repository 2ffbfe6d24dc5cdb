using System.Diagnostics;
using Ernie.Engine.Scheduling;
using Ernie.Engine.Telemetry;
using Ernie.Execution;
using Ernie.Generation;

namespace Ernie.Engine.Looping;

/// <summary>
/// The one thread that owns the executor, the slots and the pages. A step is: take what callers asked for, fill the batch,
/// begin it, complete the oldest step in flight, hand out its tokens. Idle, it sleeps; running, it allocates nothing per step.
/// </summary>
internal sealed class EngineLoop : IDisposable
{
    private readonly IExecutor _executor;
    private readonly Scheduler _scheduler;
    private readonly LoopInbox _inbox = new();
    private readonly LoopStatistics _statistics;
    private readonly Departures _departures;
    private readonly LoopCommands _commands;
    private readonly StepFailures _failures;
    private readonly StepReader _reader;
    private readonly EngineMeter _meter;
    private readonly StepRecord[] _records;
    private readonly Thread _thread;
    private long _begun, _completed, _waitTicks, _allocatedBytes;
    private volatile bool _paused, _stopping;

    /// <summary>Makes the loop; <see cref="Start"/> starts it.</summary>
    /// <param name="executor">Runs the model; disposed by the loop's thread at its end.</param>
    /// <param name="settings">Everything else.</param>
    /// <param name="owner">The engine, by which listeners tell its instruments from another's.</param>
    public EngineLoop(IExecutor executor, EngineSettings settings, object owner)
    {
        _executor = executor;
        _statistics = new LoopStatistics(_inbox, settings.Clock);
        _meter = new EngineMeter(owner, _statistics.Read, () => AllocatedBytes);
        _scheduler = new Scheduler(executor.Info, settings, _meter, executor.Sampling);
        _departures = new Departures(_scheduler, _inbox, _statistics, _meter);
        _commands = new LoopCommands(_scheduler, _departures, _inbox, _statistics);
        _failures = new StepFailures(_scheduler, _departures, _statistics, settings.Warn);
        _reader = new StepReader(_scheduler, _departures, _statistics, _meter, executor.Info.VocabularySize);
        int depth = settings.Overlap ? Math.Max(1, executor.Info.MaxStepsInFlight) : 1;
        _records = new StepRecord[depth];
        for (int i = 0; i < depth; i++)
        {
            _records[i] = new StepRecord(_scheduler.MaxSequences);
        }

        Publish();
        _thread = new Thread(Run) { IsBackground = true, Name = "ernie-engine" };
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

    /// <summary>Says that nobody reads a sequence any more.</summary>
    public void Cancel(Sequence sequence) => _inbox.Cancel(sequence);

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

    private int StepsInFlight => (int)(_begun - _completed);

    private void Run()
    {
        while (!_stopping)
        {
            long startedAt = Stopwatch.GetTimestamp();
            _waitTicks = 0;
            HandleCallers();
            // One look a turn: who resumes the engine between the two calls must not end requests that this turn did not try to admit.
            bool paused = _paused;
            bool launched = TryLaunch(paused);
            if (StepsInFlight == 0)
            {
                FailWhatCannotRun(paused);
                _commands.AnswerDrains();
                Publish();
                _inbox.Wait();
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

        _departures.EndAll(FinishReason.Aborted, null);
        _commands.AnswerDrains();
        Publish();
        _executor.Dispose();
        _inbox.Close();
    }

    private void HandleCallers()
    {
        _inbox.MoveSequences(_scheduler.Waiting);
        if (_inbox.TakeCancellations())
        {
            _departures.EndCancelled();
        }

        _commands.Handle();
    }

    private bool TryLaunch(bool paused)
    {
        StepRecord record = _records[_begun % _records.Length];
        if (StepsInFlight == _records.Length || !_scheduler.Fill(record, paused || Failure is not null, StepsInFlight))
        {
            return false;
        }

        NoteAdmissions(record);
        if (record.RowCount == 0)
        {
            return false;
        }

        long beganAt = Stopwatch.GetTimestamp();
        try
        {
            _statistics.StepInFlight = true;
            _executor.Begin(_scheduler.Batch);
        }
#pragma warning disable CA1031 // Whatever the executor throws ends these requests, not the loop.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _statistics.StepInFlight = StepsInFlight > 0;
            _failures.StepFailed(record, e, committed: false, _completed);
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

    private void NoteAdmissions(StepRecord record)
    {
        for (int row = record.RowCount - 1; row >= 0; row--)
        {
            _inbox.LeaveQueue(record.Sequences[row]!); // Filled rows have a sequence.
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
            EndStep();
            _failures.StepFailed(record, e, committed: true, _completed);
            return;
        }

        long now = Stopwatch.GetTimestamp();
        _waitTicks += now - waitedAt;
        EndStep();
        _failures.StepSucceeded();
        _statistics.StepCompleted();
        _scheduler.Memory.Pool.StepCompleted(record.Number);
        _reader.Read(record, output, now, _begun);
        _meter.Step(record, now);
    }

    private void EndStep()
    {
        _completed++;
        _statistics.StepEnded();
        _statistics.StepInFlight = StepsInFlight > 0;
    }

    // With nothing running every page is free or evictable, so the first in the queue fits; unless a cache policy keeps back what it promised.
    private void FailWhatCannotRun(bool paused)
    {
        if (Failure is not null)
        {
            _departures.EndAll(FinishReason.Error, Failure);
        }
        else if (!paused && _scheduler.Running.Count == 0 && _inbox.HasNoSequence && _scheduler.Waiting.First is { } sequence)
        {
            _departures.End(sequence, FinishReason.Error, "The cache policy frees no pages, so the request cannot run.");
            _inbox.Wake();
        }
    }

    private void Publish() => _statistics.Publish(_scheduler);
}
