using Ernie.Engine.Sequences;

namespace Ernie.Engine.Scheduling;

/// <summary>Sequences with a slot that have not ended: larger priority first, then earlier admission.</summary>
internal sealed class RunningSequences
{
    private readonly List<Sequence> _sequences;

    /// <summary>Makes room for as many as can run.</summary>
    public RunningSequences(int maxSequences) => _sequences = new List<Sequence>(maxSequences);

    /// <summary>How many run.</summary>
    public int Count => _sequences.Count;

    /// <summary>The one that is preempted first.</summary>
    public Sequence Last => _sequences[^1];

    /// <summary>One of them by its place.</summary>
    public Sequence this[int index] => _sequences[index];

    /// <summary>Adds a sequence behind those of its own priority.</summary>
    public void Add(Sequence sequence)
    {
        int at = _sequences.Count;
        while (at > 0 && _sequences[at - 1].Request.Original.Priority < sequence.Request.Original.Priority)
        {
            at--;
        }

        _sequences.Insert(at, sequence);
    }

    /// <summary>Takes a sequence out.</summary>
    public void Remove(Sequence sequence) => _sequences.Remove(sequence);

    /// <summary>Goes through them without allocating.</summary>
    public List<Sequence>.Enumerator GetEnumerator() => _sequences.GetEnumerator();
}
