using Ernie.Engine.Scheduling;
using Ernie.Engine.Telemetry;

namespace Ernie.Engine.Looping;

/// <summary>
/// Looks whether everything is where it belongs, whenever the engine has nothing to run: every slot free, every page free or the cache's, every lease
/// released, and the cache policy of the same opinion.
/// </summary>
/// <remarks>
/// What is found is told once (ERN5003) and counted each time; the engine goes on. Something that is lost makes the cache smaller but no answer wrong,
/// and nobody is served better by a server that is down.
/// </remarks>
internal sealed class IdleCheck(Scheduler scheduler, EngineMeter meter, Action<string>? warn)
{
    private long _checkedAt;
    private string? _told;

    /// <summary>Looks, once after each time that steps ran.</summary>
    /// <param name="stepsBegun">Steps begun so far; all of them have ended, and no sequence runs.</param>
    public void Run(long stepsBegun)
    {
        if (_checkedAt == stepsBegun)
        {
            return;
        }

        _checkedAt = stepsBegun;
        if (scheduler.Memory.FindMisplaced() is not { } finding)
        {
            return;
        }

        meter.Misplaced();
        if (finding != _told)
        {
            _told = finding;
            warn?.Invoke($"ERN5003: the idle engine found something out of its place: {finding}");
        }
    }
}
