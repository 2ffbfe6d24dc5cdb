namespace Ernie.Server.Metrics;

/// <summary>Finds the longest choice of a request, whose choices end one by one on different threads.</summary>
/// <param name="metrics">Told when the last one has ended.</param>
/// <param name="choices">Choices of the request.</param>
internal sealed class RequestTally(ServerMetrics metrics, int choices)
{
    private readonly Lock _lock = new();
    private int _open = choices;
    private int _most = -1;

    /// <summary>A choice that began has ended.</summary>
    /// <param name="tokens">Tokens that it generated.</param>
    public void Ended(int tokens)
    {
        lock (_lock)
        {
            _most = Math.Max(_most, tokens);
            if (--_open == 0)
                metrics.RequestFinished(_most);
        }
    }

    /// <summary>No other choice will begin.</summary>
    public void Close()
    {
        lock (_lock)
        {
            if (_open > 0 && _most >= 0)
                metrics.RequestFinished(_most);
            _open = 0;
        }
    }
}
