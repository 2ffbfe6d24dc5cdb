using Ernie.Engine.Scheduling;
using Ernie.Generation;

namespace Ernie.Engine.Looping;

/// <summary>What the loop tells of itself: it publishes after each step and each end, anyone reads.</summary>
internal sealed class LoopStatistics
{
    private readonly LoopInbox _inbox;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new();
    private LoopCounters _published;
    private long _steps, _generated;
    private DateTimeOffset _lastStep;
    private volatile bool _stepInFlight;
    private volatile string? _failure;

    /// <summary>Starts at zero.</summary>
    public LoopStatistics(LoopInbox inbox, TimeProvider clock)
    {
        _inbox = inbox;
        _clock = clock;
        _lastStep = clock.GetUtcNow();
    }

    /// <summary>Why the engine takes nothing any more; null while it is healthy.</summary>
    public string? Failure
    {
        get => _failure;
        set => _failure = value;
    }

    /// <summary>Whether a step runs.</summary>
    public bool StepInFlight
    {
        set => _stepInFlight = value;
    }

    /// <summary>A step ended well.</summary>
    public void StepCompleted() => _lastStep = _clock.GetUtcNow();

    /// <summary>A step ended, well or not.</summary>
    public void StepEnded() => _steps++;

    /// <summary>A token was drawn.</summary>
    public void TokenDrawn() => _generated++;

    /// <summary>Shows the scheduler's state to readers. Called on the loop's thread.</summary>
    public void Publish(Scheduler scheduler)
    {
        int evictable = scheduler.Memory.Cache.EvictablePages;
        int free = scheduler.Memory.Pool.FreeCount;
        var counters = new LoopCounters
        {
            Running = scheduler.Running.Count,
            Waiting = scheduler.Waiting.Count,
            PagesFree = free,
            PagesEvictable = evictable,
            PagesInUse = scheduler.Memory.Pool.PageCount - free - evictable,
            Steps = _steps,
            PromptTokens = scheduler.PromptTokens,
            CachedTokens = scheduler.CachedTokens,
            GeneratedTokens = _generated,
            Preemptions = scheduler.Preemptions,
            LastStep = _lastStep,
        };
        lock (_gate)
        {
            _published = counters;
        }
    }

    /// <summary>What was published last.</summary>
    public EngineStatistics Read()
    {
        LoopCounters counters;
        lock (_gate)
        {
            counters = _published;
        }

        return counters.ToStatistics(_inbox.SequenceCount, _stepInFlight, _failure);
    }
}
