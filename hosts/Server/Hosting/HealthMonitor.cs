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
        _timer = clock.CreateTimer(static state => ((HealthMonitor)state!).IsHung(), this, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    /// <summary>Looks now.</summary>
    /// <returns>Whether one step has been running for longer than the limit.</returns>
    public bool IsHung()
    {
        EngineStatistics statistics = _engine.GetStatistics();
        lock (_lock)
        {
            if (!statistics.StepInFlight || statistics.Steps != _stepsSeen)
            {
                _stepsSeen = statistics.StepInFlight ? statistics.Steps : -1;
                _seenAt = _clock.GetTimestamp();
                return false;
            }

            return _clock.GetElapsedTime(_seenAt) > _limit;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();
}
