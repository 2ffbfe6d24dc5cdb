namespace Ernie.Engine.Sequences;

/// <summary>Where a sequence is in its life.</summary>
internal enum SequenceState
{
    /// <summary>In the queue, without a slot; also after a preemption.</summary>
    Waiting,

    /// <summary>Has a slot and pages.</summary>
    Running,

    /// <summary>Ended for its reader, but steps in flight still use its slot and pages.</summary>
    Retiring,

    /// <summary>Owns nothing any more.</summary>
    Ended,
}
