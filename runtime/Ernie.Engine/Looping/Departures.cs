using System.Diagnostics;
using Ernie.Engine.Scheduling;
using Ernie.Engine.Sequences;
using Ernie.Engine.Streaming;
using Ernie.Engine.Telemetry;
using Ernie.Generation;

namespace Ernie.Engine.Looping;

/// <summary>How sequences end: they leave the scheduler, give back what they hold and tell their readers, in this order.</summary>
internal sealed class Departures(Scheduler scheduler, LoopInbox inbox, LoopStatistics statistics, EngineMeter meter)
{
    /// <summary>Ends a sequence without a token.</summary>
    public void End(Sequence sequence, FinishReason reason, string? error)
    {
        sequence.Stream.Error = error;
        Leave(sequence, reason);
        var tokenEvent = new TokenEvent { Token = -1, StopToken = -1, FinishReason = reason };
        sequence.Progress.FirstEventSent = true;
        sequence.Stream.Publish(in tokenEvent, default, default);
    }

    /// <summary>
    /// Takes a sequence out. Pages go back before the reader hears of the end, so that a caller who has seen it finds them free.
    /// </summary>
    public void Leave(Sequence sequence, FinishReason reason)
    {
        meter.Finished(sequence, reason, Stopwatch.GetTimestamp());
        inbox.LeaveQueue(sequence);
        if (sequence.State == SequenceState.Waiting)
        {
            scheduler.Waiting.Remove(sequence);
            sequence.State = SequenceState.Ended;
        }
        else
        {
            scheduler.Retire(sequence);
            ReleaseIfUnused(sequence);
        }

        statistics.Publish(scheduler);
    }

    /// <summary>Gives back the slot and the pages of a sequence that has left, once no step in flight uses them.</summary>
    public void ReleaseIfUnused(Sequence sequence)
    {
        if (sequence.Progress.RowsInFlight == 0)
        {
            scheduler.Memory.Release(sequence);
        }
    }

    /// <summary>Ends every sequence that runs, waits or was just handed over.</summary>
    /// <returns>How many there were.</returns>
    public int EndAll(FinishReason reason, string? error)
    {
        inbox.MoveSequences(scheduler.Waiting);
        int count = 0;
        for (; scheduler.Waiting.First is { } waiting; count++)
        {
            End(waiting, reason, error);
        }

        for (; scheduler.Running.Count > 0; count++)
        {
            End(scheduler.Running.Last, reason, error);
        }

        return count;
    }

    /// <summary>Ends the sequences whose readers are gone.</summary>
    public void EndAbandoned()
    {
        for (Sequence? sequence = scheduler.Waiting.First; sequence is not null;)
        {
            Sequence? next = sequence.Next;
            if (sequence.Stream.IsAbandoned)
            {
                End(sequence, FinishReason.Aborted, null);
            }

            sequence = next;
        }

        for (int i = scheduler.Running.Count - 1; i >= 0; i--)
        {
            if (scheduler.Running[i].Stream.IsAbandoned)
            {
                End(scheduler.Running[i], FinishReason.Aborted, null);
            }
        }
    }
}
