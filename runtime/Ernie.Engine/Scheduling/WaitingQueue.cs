using Ernie.Engine.Sequences;

namespace Ernie.Engine.Scheduling;

/// <summary>Sequences without a slot: larger priority first, then earlier arrival. A linked list through the sequences, so that nothing is allocated.</summary>
internal sealed class WaitingQueue
{
    private Sequence? _last;

    /// <summary>The one to admit next.</summary>
    public Sequence? First { get; private set; }

    /// <summary>Sequences in the queue.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a sequence at its place, looking from the end: a new one mostly belongs there.</summary>
    public void Add(Sequence sequence)
    {
        Sequence? before = _last;
        while (before is not null && ComesBefore(sequence, before))
        {
            before = before.Previous;
        }

        Sequence? after = before is null ? First : before.Next;
        (sequence.Previous, sequence.Next) = (before, after);
        if (before is null)
        {
            First = sequence;
        }
        else
        {
            before.Next = sequence;
        }

        if (after is null)
        {
            _last = sequence;
        }
        else
        {
            after.Previous = sequence;
        }

        Count++;
    }

    /// <summary>Takes a sequence out.</summary>
    public void Remove(Sequence sequence)
    {
        if (sequence.Previous is null)
        {
            First = sequence.Next;
        }
        else
        {
            sequence.Previous.Next = sequence.Next;
        }

        if (sequence.Next is null)
        {
            _last = sequence.Previous;
        }
        else
        {
            sequence.Next.Previous = sequence.Previous;
        }

        (sequence.Previous, sequence.Next) = (null, null);
        Count--;
    }

    private static bool ComesBefore(Sequence a, Sequence b) =>
        a.Request.Original.Priority > b.Request.Original.Priority || (a.Request.Original.Priority == b.Request.Original.Priority && a.Progress.Arrival < b.Progress.Arrival);
}
