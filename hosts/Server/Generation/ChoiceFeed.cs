using System.Threading.Channels;
using Ernie.Generation;

namespace Ernie.Server.Generation;

/// <summary>
/// Feeds the choices of one request to the engine: no more at once than it has slots, and one that finds the queue full waits for
/// another of the same request to end. Only where none of them has begun is the queue full for the request.
/// </summary>
/// <param name="count">Choices.</param>
/// <param name="width">Choices at once.</param>
/// <param name="start">Begins a choice.</param>
/// <param name="merged">Receives the deltas of all, and completes with the last of them or the first failure.</param>
internal sealed class ChoiceFeed(int count, int width, Func<int, IAsyncEnumerable<ChoiceDelta>> start, ChannelWriter<ChoiceDelta> merged)
{
    // What others have queued may be all that stands in the way, and nobody tells when they end.
    private static readonly TimeSpan s_nextTry = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private TaskCompletionSource _oneEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;
    private volatile bool _hasBegun;
    private int _next;

    /// <summary>Runs all choices.</summary>
    /// <param name="cancellationToken">Ends the waiting ones; those that run have it too.</param>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var lanes = new Task[Math.Min(count, Math.Max(1, width))];
        for (int lane = 0; lane < lanes.Length; lane++)
            lanes[lane] = RunLaneAsync(cancellationToken);
        await Task.WhenAll(lanes).ConfigureAwait(false);
        merged.TryComplete();
    }

    private async Task RunLaneAsync(CancellationToken cancellationToken)
    {
        try
        {
            for (int index = Interlocked.Increment(ref _next) - 1; index < count; index = Interlocked.Increment(ref _next) - 1)
            {
                while (await RunAsync(index).ConfigureAwait(false) is { } room)
                {
                    await Task.WhenAny(room, Task.Delay(s_nextTry, cancellationToken)).ConfigureAwait(false);
                    cancellationToken.ThrowIfCancellationRequested();
                }
            }
        }
#pragma warning disable CA1031 // Not swallowed: the reader of the channel gets it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            merged.TryComplete(exception);
        }
    }

    /// <summary>Runs a choice to its end. Where the queue is full for now, gives the end of another one to wait for.</summary>
    private async Task<Task?> RunAsync(int index)
    {
        Task room = Begin();
        try
        {
            await foreach (ChoiceDelta delta in start(index).ConfigureAwait(false))
            {
                _hasBegun = true;
                await merged.WriteAsync(delta).ConfigureAwait(false);
            }

            End(hasRun: true);
            return null;
        }
        catch (RequestRejectedException rejected) when (rejected.Reason == RejectionReason.QueueFull && MayWait(room))
        {
            End(hasRun: false);
            return room;
        }
    }

    private Task Begin()
    {
        lock (_lock)
        {
            _running++;
            return _oneEnded.Task;
        }
    }

    // Whoever is alone, and before whom none has begun, does not wait: the queue is full of others.
    private bool MayWait(Task room)
    {
        lock (_lock)
            return _running > 1 || _hasBegun || room.IsCompleted;
    }

    private void End(bool hasRun)
    {
        TaskCompletionSource? ended = null;
        lock (_lock)
        {
            _running--;
            if (hasRun)
                (ended, _oneEnded) = (_oneEnded, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        ended?.SetResult();
    }
}
