using Ernie.Server.Errors;

namespace Ernie.Server.Hosting;

/// <summary>Bounds how many generation requests are served at once, and refuses all of them while the server drains.</summary>
/// <param name="maxConcurrency">Requests inside at most.</param>
internal sealed class Admission(int maxConcurrency)
{
    private int _inside;
    private volatile bool _draining;

    /// <summary>Whether the server takes nothing new.</summary>
    public bool Draining => _draining;

    /// <summary>Requests inside.</summary>
    public int Inside => Volatile.Read(ref _inside);

    /// <summary>Refuses every request from now on.</summary>
    public void StartDraining() => _draining = true;

    /// <summary>Refuses a request whose body need not be read.</summary>
    /// <exception cref="ApiException">503 while draining.</exception>
    public void RequireOpen()
    {
        if (_draining)
            throw ApiException.Draining();
    }

    /// <summary>Takes a slot.</summary>
    /// <returns>Gives the slot back when disposed.</returns>
    /// <exception cref="ApiException">503 while draining, 429 when all slots are taken.</exception>
    public IDisposable Enter()
    {
        // Counted before draining is read: whoever waits for the count to fall sees this request, or this request sees the drain.
        int inside = Interlocked.Increment(ref _inside);
        if (!_draining && inside <= maxConcurrency)
            return new Slot(this);
        Interlocked.Decrement(ref _inside);
        throw _draining ? ApiException.Draining() : ApiException.Busy($"The server is at its limit of {maxConcurrency} concurrent requests.");
    }

    private sealed class Slot(Admission admission) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                Interlocked.Decrement(ref admission._inside);
        }
    }
}
