using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Ernie.Server.Requests;

/// <summary>Tells a client that left from a failure of the server.</summary>
internal static class ClientDisconnect
{
    /// <summary>Whether an exception means that the connection is gone. Reads and writes may learn of a reset before the request's own token does.</summary>
    public static bool Is(Exception exception, HttpContext context) =>
        context.RequestAborted.IsCancellationRequested
        || exception is ConnectionResetException or ConnectionAbortedException or IOException { InnerException: SocketException };
}
