using System.Threading.Channels;
using Ernie.Generation;

namespace Ernie.Server.Generation;

/// <summary>
/// Feeds the choices of one request to the engine: no more at once than it has slots, and one that finds the queue full waits for
/// another of the same request to end. Only where none of its choices is running is the queue full for the request.
/// </summary>
/// <param name="count">Choices.</param>
/// <param name="width">Choices at once.</param>
/// <param name="start">Begins a choice.</param>
/// <param name="merged">Receives the deltas of all, and completes with the last of them or the first failure.</param>
internal sealed class ChoiceFeed(int count, int width, Func<int, IAsyncEnumerable<ChoiceDelta>> start, ChannelWriter<ChoiceDelta> merged)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _oneEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;
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
                while (await RunAsync(index).ConfigureAwait(false) is { } oneEnds)
                    await oneEnds.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
#pragma warning disable CA1031 // Not swallowed: the reader of the channel gets it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            merged.TryComplete(exception);
        }
    }

    /// <summary>Runs a choice to its end. Where the queue is full while others of the request run, gives the end of one of those to wait for.</summary>
    private async Task<Task?> RunAsync(int index)
    {
        lock (_lock)
            _running++;
        Task? oneEnds = null;
        try
        {
            await foreach (ChoiceDelta delta in start(index).ConfigureAwait(false))
                await merged.WriteAsync(delta).ConfigureAwait(false);
            return null;
        }
        catch (RequestRejectedException rejected) when (rejected.Reason == RejectionReason.QueueFull && TryStepBack(out oneEnds))
        {
            return oneEnds;
        }
        finally
        {
            if (oneEnds is null)
                End();
        }
    }

    // Whoever is the last one running does not step back, so somebody's end is always to come.
    private bool TryStepBack(out Task? oneEnds)
    {
        lock (_lock)
        {
            oneEnds = _running == 1 ? null : _oneEnded.Task;
            _running -= oneEnds is null ? 0 : 1;
            return oneEnds is not null;
        }
    }

    private void End()
    {
        TaskCompletionSource ended;
        lock (_lock)
        {
            _running--;
            (ended, _oneEnded) = (_oneEnded, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        ended.SetResult();
    }
}
