using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Ernie.Engine.Scheduling;
using Ernie.Engine.Sequences;
using Ernie.Engine.Streaming;
using Ernie.Generation;

namespace Ernie.Engine.Looping;

/// <summary>What callers hand to the loop: sequences, cancellations and commands. Filled on any thread, emptied on the loop's.</summary>
#pragma warning disable CA1001 // The event is never disposed: a reader that ends late, after the loop, still sets it.
internal sealed class LoopInbox
#pragma warning restore CA1001
{
    private readonly ConcurrentQueue<Sequence> _sequences = new();
    private readonly ConcurrentQueue<LoopCommand> _commands = new();
    private readonly AutoResetEvent _wake = new(false);
    private long _arrivals;
    private int _abandoned, _queued;
    private volatile bool _closed;

    /// <summary>Sequences that have been submitted and have not had a slot.</summary>
    public int Queued => Volatile.Read(ref _queued);

    /// <summary>Sequences that the loop has not taken yet.</summary>
    public int SequenceCount => _sequences.Count;

    /// <summary>Whether every sequence has been taken.</summary>
    public bool HasNoSequence => _sequences.IsEmpty;

    /// <summary>Hands a sequence over.</summary>
    public void Submit(Sequence sequence)
    {
        Interlocked.Increment(ref _queued);
        _sequences.Enqueue(sequence);
        Wake();
        TurnAwayLate();
    }

    /// <summary>Says that nobody reads some sequence any more.</summary>
    public void NoteAbandoned()
    {
        Interlocked.Increment(ref _abandoned);
        Wake();
    }

    /// <summary>Asks something of the loop.</summary>
    public Task<int> Send(LoopCommandKind kind)
    {
        var answer = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _commands.Enqueue(new LoopCommand(kind, answer));
        Wake();
        TurnAwayLate();
        return answer.Task;
    }

    /// <summary>Ends the loop's sleep, or its next one.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Sleeps until something was handed over.</summary>
    public void Wait() => _wake.WaitOne();

    /// <summary>Moves every sequence to the queue, in the order in which they came.</summary>
    public void MoveSequences(WaitingQueue waiting)
    {
        while (_sequences.TryDequeue(out Sequence? sequence))
        {
            sequence.Progress.Arrival = ++_arrivals;
            waiting.Add(sequence);
        }
    }

    /// <summary>Takes the next command.</summary>
    public bool TryTake([NotNullWhen(true)] out LoopCommand? command) => _commands.TryDequeue(out command);

    /// <summary>Whether a sequence was abandoned since the last call.</summary>
    public bool TakeAbandonments() => Volatile.Read(ref _abandoned) > 0 && Interlocked.Exchange(ref _abandoned, 0) > 0;

    /// <summary>A sequence no longer counts against the bound of the queue; a preempted one that waits again does not either.</summary>
    public void LeaveQueue(Sequence sequence)
    {
        if (sequence.Progress.IsQueued)
        {
            sequence.Progress.IsQueued = false;
            Interlocked.Decrement(ref _queued);
        }
    }

    /// <summary>The loop looks no more: what was and will be handed over is turned away.</summary>
    public void Close()
    {
        _closed = true;
        TurnAwayLate();
    }

    // What was handed over after the loop had looked for the last time is answered by whoever comes by.
    private void TurnAwayLate()
    {
        if (!_closed)
        {
            return;
        }

        while (_sequences.TryDequeue(out Sequence? sequence))
        {
            var aborted = new TokenEvent { Token = -1, StopToken = -1, FinishReason = FinishReason.Aborted };
            sequence.Stream.Publish(in aborted, default, default);
        }

        while (_commands.TryDequeue(out LoopCommand? command))
        {
            command.Answer.SetResult(0);
        }
    }
}
