using Microsoft.AspNetCore.Connections;

namespace Ernie.Server.Connections;

/// <summary>Bounds open connections: at its limit of handles the process would end, and with it every answer that is under way.</summary>
/// <param name="most">Connections at once.</param>
internal sealed partial class ConnectionLimit(int most)
{
    private int _open;
    private long _refused;
    private int _isFull;

    /// <summary>Connections at once.</summary>
    public int Most { get; } = most;

    /// <summary>Connections open.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Connections closed because others filled the limit.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>The limit of a server: what was asked for and what the handles allow.</summary>
    /// <param name="asked">Connections that the settings allow; null for as many as there can be.</param>
    /// <exception cref="Ernie.Hosting.Options.OptionException">The limit of handles leaves too few.</exception>
    public static ConnectionLimit Create(int? asked)
    {
        int room = HandleLimit.Read()?.RoomForConnections(HandleLimit.CountOpen()) ?? int.MaxValue;
        return new ConnectionLimit(Math.Min(asked ?? int.MaxValue, room));
    }

    /// <summary>Wraps a listener's connections.</summary>
    public ConnectionDelegate Wrap(ConnectionDelegate next, ILogger logger) => async connection =>
    {
        if (Interlocked.Increment(ref _open) > Most)
        {
            Interlocked.Decrement(ref _open);
            Interlocked.Increment(ref _refused);
            // Once until there is room again: a line per connection would be the next flood.
            if (Interlocked.Exchange(ref _isFull, 1) == 0)
                Log.Full(logger, Most);
            connection.Abort();
            return;
        }

        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            if (Interlocked.Decrement(ref _open) < Most / 2)
                Volatile.Write(ref _isFull, 0);
        }
    };

    private static partial class Log
    {
        [LoggerMessage(531, LogLevel.Warning, "All {Most} connections are taken; more are closed at once (--max-connections, and the limit of open files)")]
        public static partial void Full(ILogger logger, int most);
    }
}
