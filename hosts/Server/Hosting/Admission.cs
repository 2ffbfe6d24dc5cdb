using Ernie.Server.Errors;

namespace Ernie.Server.Hosting;

/// <summary>Bounds how many generation requests are served at once, and refuses all of them while the server drains.</summary>
internal sealed class Admission : IDisposable
{
    private readonly SemaphoreSlim _slots;
    private readonly TimeSpan _longestWait;
    private int _inside;
    private volatile bool _draining;

    /// <summary>Takes the bounds from the server's settings.</summary>
    public Admission(ServerContext server)
    {
        _slots = new SemaphoreSlim(server.Options.MaxConcurrency);
        _longestWait = server.Options.MaxWaitingSeconds < 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(server.Options.MaxWaitingSeconds);
    }

    /// <summary>Whether the server takes nothing new.</summary>
    public bool Draining => _draining;

    /// <summary>Requests inside, waiting ones included.</summary>
    public int Inside => Volatile.Read(ref _inside);

    /// <summary>Refuses every request from now on.</summary>
    public void StartDraining() => _draining = true;

    /// <summary>Waits for a slot.</summary>
    /// <returns>Gives the slot back when disposed.</returns>
    /// <exception cref="ApiException">503 while draining, 429 when no slot came free in time.</exception>
    public async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        if (_draining)
            throw ApiException.Draining();
        Interlocked.Increment(ref _inside);
        bool entered = false;
        try
        {
            entered = await _slots.WaitAsync(_longestWait, cancellationToken).ConfigureAwait(false);
            if (!entered)
                throw ApiException.Busy($"No request finished within the {_longestWait.TotalSeconds:0.###} s that one may wait; try again later.");
            return new Slot(this);
        }
        finally
        {
            if (!entered)
                Interlocked.Decrement(ref _inside);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _slots.Dispose();

    private sealed class Slot(Admission admission) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) != 0)
                return;
            Interlocked.Decrement(ref admission._inside);
            admission._slots.Release();
        }
    }
}
