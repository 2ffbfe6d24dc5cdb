namespace Ernie.Server.Metrics;

/// <summary>Finds the longest choice of a request, whose choices end one by one on different threads.</summary>
/// <param name="metrics">Told when the last one has ended.</param>
/// <param name="choices">Choices of the request.</param>
internal sealed class RequestTally(ServerMetrics metrics, int choices)
{
    private readonly Lock _lock = new();
    private int _open = choices;
    private int _most = -1;

    /// <summary>A choice ended.</summary>
    /// <param name="tokens">Tokens that it generated; null when it never began.</param>
    public void Ended(int? tokens)
    {
        lock (_lock)
        {
            _most = Math.Max(_most, tokens ?? -1);
            if (--_open == 0 && _most >= 0)
                metrics.RequestFinished(_most);
        }
    }
}
