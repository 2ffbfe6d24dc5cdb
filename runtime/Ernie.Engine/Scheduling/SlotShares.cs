using Ernie.Engine.Sequences;

namespace Ernie.Engine.Scheduling;

/// <summary>Keeps one caller's request from taking every slot: while others wait, the sequences of its group get at most half.</summary>
/// <remarks>Others are sequences of another group, or of none, whose priority is not lower. They are looked for only where a group is at its limit.</remarks>
internal sealed class SlotShares(WaitingQueue waiting, RunningSequences running, int maxSequences)
{
    private readonly int _most = Math.Max(1, maxSequences / 2);
    private object? _full;

    /// <summary>Forgets what was found for the step before.</summary>
    public void Begin() => _full = null;

    /// <summary>Whether a waiting sequence may have a slot, as far as its group is concerned.</summary>
    public bool MayRun(Sequence sequence)
    {
        object? group = sequence.Request.Original.Group;
        if (group is null)
        {
            return true;
        }

        // Within a step a group's share only grows.
        if (ReferenceEquals(group, _full))
        {
            return false;
        }

        if (CountRunning(group) < _most || CountOthers(group, sequence.Request.Original.Priority, 1) == 0)
        {
            return true;
        }

        _full = group;
        return false;
    }

    /// <summary>Finds a running sequence that is to give its slot to another, because its group has more than its share; the latest one.</summary>
    /// <param name="freeSlots">Slots that the others can have without.</param>
    public Sequence? FindExcess(int freeSlots)
    {
        if (waiting.Count <= freeSlots || FindMajority() is not { } group || CountRunning(group) <= _most)
        {
            return null;
        }

        for (int i = running.Count - 1; i >= 0; i--)
        {
            if (ReferenceEquals(running[i].Request.Original.Group, group))
            {
                return CountOthers(group, running[i].Request.Original.Priority, freeSlots + 1) > freeSlots ? running[i] : null;
            }
        }

        return null;
    }

    // A group with more than half of the slots has more than half of the running sequences, so it is what is left when each of its sequences is
    // struck off against one of another group (Boyer and Moore's majority vote).
    private object? FindMajority()
    {
        object? candidate = null;
        int votes = 0;
        foreach (Sequence sequence in running)
        {
            object? group = sequence.Request.Original.Group;
            if (votes == 0)
            {
                (candidate, votes) = (group, 1);
            }
            else
            {
                votes += ReferenceEquals(group, candidate) ? 1 : -1;
            }
        }

        return candidate;
    }

    private int CountRunning(object group)
    {
        int count = 0;
        foreach (Sequence sequence in running)
        {
            count += ReferenceEquals(sequence.Request.Original.Group, group) ? 1 : 0;
        }

        return count;
    }

    // The queue is in the order of priority: behind the first lower one there are only lower ones.
    private int CountOthers(object group, int priority, int enough)
    {
        int count = 0;
        for (Sequence? sequence = waiting.First;
            sequence is not null && count < enough && sequence.Request.Original.Priority >= priority;
            sequence = sequence.Next)
        {
            count += ReferenceEquals(sequence.Request.Original.Group, group) ? 0 : 1;
        }

        return count;
    }
}
