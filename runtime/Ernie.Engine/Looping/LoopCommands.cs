using Ernie.Engine.Scheduling;
using Ernie.Generation;

namespace Ernie.Engine.Looping;

/// <summary>Carries out what callers ask of the loop, between two steps.</summary>
internal sealed class LoopCommands(Scheduler scheduler, Departures departures, LoopInbox inbox, LoopStatistics statistics)
{
    private readonly List<LoopCommand> _drains = [];

    /// <summary>Carries out every command that was handed over; a drain is answered later.</summary>
    public void Handle()
    {
        while (inbox.TryTake(out LoopCommand? command))
        {
            Handle(command);
        }
    }

    /// <summary>Answers drains once no sequence is left.</summary>
    public void AnswerDrains()
    {
        if (_drains.Count > 0 && scheduler.Memory.SlotsInUse == 0 && scheduler.Waiting.Count == 0 && inbox.HasNoSequence)
        {
            foreach (LoopCommand command in _drains)
            {
                command.Answer.SetResult(0);
            }

            _drains.Clear();
        }
    }

    private void Handle(LoopCommand command)
    {
        int answer = 0;
        switch (command.Kind)
        {
            case LoopCommandKind.Abort:
                answer = departures.EndAll(FinishReason.Aborted, null);
                break;
            case LoopCommandKind.ResetCache:
                answer = scheduler.Memory.Cache.Evict(scheduler.Memory.Cache.EvictablePages);
                break;
            default:
                _drains.Add(command);
                return;
        }

        // Whoever has the answer sees what it did in the statistics.
        statistics.Publish(scheduler);
        command.Answer.SetResult(answer);
    }
}
