namespace Ernie.Server.Hosting;

/// <summary>Where chat templates are rendered, so that long renderings hold up neither each other nor anything else.</summary>
/// <remarks>
/// A rendering is started in the quick lane, on the request's own thread, and has a fraction of a second there: nearly every one needs
/// a fraction of a millisecond. One that takes longer begins anew in the slow lane, which runs one rendering at a time on a thread of
/// its own until the template's limits end it. Half of the cores at most are held in the quick lane and one in the slow lane; who waits
/// for a place holds no thread.
/// </remarks>
internal sealed class RenderingLanes : IDisposable
{
    private readonly SemaphoreSlim _quick = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly SemaphoreSlim _slow = new(1);
    private readonly TimeSpan _quickTime;

    /// <summary>Opens the lanes.</summary>
    /// <param name="quickTime">How long a rendering may stay in the quick lane.</param>
    public RenderingLanes(TimeSpan? quickTime = null) => _quickTime = quickTime ?? TimeSpan.FromMilliseconds(50);

    /// <summary>Runs a rendering.</summary>
    /// <param name="render">Must give the same whenever it runs, for it may run twice; watches the token that it is given.</param>
    /// <param name="cancellationToken">Ends it when nobody waits for it any more.</param>
    public async Task<T> RunAsync<T>(Func<CancellationToken, T> render, CancellationToken cancellationToken)
    {
        await _quick.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var slice = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            slice.CancelAfter(_quickTime);
            return render(slice.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Its time in this lane is over.
        }
        finally
        {
            _quick.Release();
        }

        await _slow.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Factory.StartNew(() => render(cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        }
        finally
        {
            _slow.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _quick.Dispose();
        _slow.Dispose();
    }
}
