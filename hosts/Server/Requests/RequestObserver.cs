using Ernie.Server.Hosting;
using Ernie.Server.Routing;

namespace Ernie.Server.Requests;

/// <summary>The outermost part of the pipeline: names a request, and counts, times and logs how it ended.</summary>
internal sealed partial class RequestObserver(RequestDelegate next, ILogger<RequestObserver> logger, ServerContext server)
{
    // nginx' status of a client that left before its answer began.
    private const int ClientClosedRequest = 499;

    /// <summary>Runs the rest of the pipeline.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        long began = server.Clock.GetTimestamp();
        RequestIdentity identity = RequestIdentity.Begin(context);
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            bool hasLeft = context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted;
            int status = hasLeft ? ClientClosedRequest : context.Response.StatusCode;
            TimeSpan elapsed = server.Clock.GetElapsedTime(began);
            // Patterns and not paths: what clients make up must not make series.
            string handler = context.GetEndpoint()?.Metadata.GetMetadata<ServerRoute>()?.Pattern ?? "none";
            server.Metrics.Http.Record(context.Request.Method, handler, status, elapsed.TotalSeconds);
            if (server.Options.LogRequests)
                Log.Answered(logger, identity.Id, context.Request.Method, handler, status, elapsed.TotalMilliseconds);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(521, LogLevel.Information, "Request {Id}: {Method} {Path} answered {Status} in {Milliseconds:0.0} ms")]
        public static partial void Answered(ILogger logger, string id, string method, string path, int status, double milliseconds);
    }
}
