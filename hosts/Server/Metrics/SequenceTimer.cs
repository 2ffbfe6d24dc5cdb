namespace Ernie.Server.Metrics;

/// <summary>Times one sequence from its arrival to its end.</summary>
internal sealed class SequenceTimer
{
    private readonly ServerMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly long _arrived;
    private long _firstToken;
    private long _lastToken;
    private int _tokens;

    /// <summary>Starts now.</summary>
    public SequenceTimer(ServerMetrics metrics, TimeProvider clock)
    {
        _metrics = metrics;
        _clock = clock;
        _arrived = clock.GetTimestamp();
    }

    /// <summary>Tokens that came.</summary>
    public int Tokens => _tokens;

    /// <summary>The engine began the sequence.</summary>
    /// <param name="cachedTokens">Prompt tokens that came from the prefix cache.</param>
    public void Begun(int cachedTokens) => _metrics.SequenceBegun(cachedTokens);

    /// <summary>A token came.</summary>
    public void TokenArrived()
    {
        long now = _clock.GetTimestamp();
        if (_tokens++ == 0)
        {
            _firstToken = now;
            _metrics.FirstToken(Seconds(_arrived, now));
        }
        else
        {
            _metrics.NextToken(Seconds(_lastToken, now));
        }

        _lastToken = now;
    }

    /// <summary>The sequence ended.</summary>
    /// <param name="reason"><c>stop</c>, <c>length</c>, <c>abort</c> when its reader left, <c>error</c> when it failed.</param>
    public void Finished(string reason)
    {
        long now = _clock.GetTimestamp();
        double? decode = _tokens > 0 ? Seconds(_firstToken, _lastToken) : null;
        _metrics.SequenceFinished(reason, Seconds(_arrived, now), decode, _tokens);
    }

    private double Seconds(long from, long to) => _clock.GetElapsedTime(from, to).TotalSeconds;
}
