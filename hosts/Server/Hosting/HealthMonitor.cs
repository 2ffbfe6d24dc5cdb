using Ernie.Generation;

namespace Ernie.Server.Hosting;

/// <summary>
/// Notices a step that does not end. The engine says when the last step ended, not when the running one began, so a step
/// counts from the first look that saw it.
/// </summary>
internal sealed class HealthMonitor : IDisposable
{
    private readonly IEngine _engine;
    private readonly TimeSpan _limit;
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private long _stepsSeen = -1;
    private long _seenAt;

    /// <summary>Starts looking.</summary>
    public HealthMonitor(IEngine engine, TimeSpan limit, TimeProvider clock)
    {
        _engine = engine;
        _limit = limit;
        _clock = clock;
        _timer = clock.CreateTimer(static state => ((HealthMonitor)state!).FindFault(), this, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    /// <summary>Looks now.</summary>
    /// <returns>What is wrong: the engine gave up, or one step has been running for longer than the limit; null when all is well.</returns>
    public string? FindFault()
    {
        EngineStatistics statistics = _engine.GetStatistics();
        if (statistics.Failure is { } failure)
            return failure;
        lock (_lock)
        {
            if (!statistics.StepInFlight || statistics.Steps != _stepsSeen)
            {
                _stepsSeen = statistics.StepInFlight ? statistics.Steps : -1;
                _seenAt = _clock.GetTimestamp();
                return null;
            }

            return _clock.GetElapsedTime(_seenAt) > _limit ? $"A step has not ended within {_limit.TotalSeconds:0.###} s." : null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();
}
