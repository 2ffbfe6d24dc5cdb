using Ernie.Server.Api;
using Ernie.Server.Hosting;
using Ernie.Server.Requests;

namespace Ernie.Server.Errors;

/// <summary>The door of one request: whatever it throws leaves as <c>{"error": …}</c> with a real status.</summary>
internal sealed partial class ErrorMiddleware(RequestDelegate next, ILogger<ErrorMiddleware> logger, ServerContext server)
{
    /// <summary>Runs the rest of the pipeline.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context).ConfigureAwait(false);
            if (context.Response is { HasStarted: false, ContentLength: null, ContentType: null }
                && context.Response.StatusCode is StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed)
            {
                await WriteAsync(context, Unrouted(context)).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (ClientDisconnect.Is(exception, context))
        {
            // The client has gone: there is nobody to answer, and the generation's own finally blocks have freed its pages.
            Log.ClientGone(logger, RequestIdentity.Of(context).Id, context.Request.Path);
            context.Abort();
        }
#pragma warning disable CA1031 // One of the three doors at which everything is caught: a request must not end the process.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            ApiException error = ErrorTranslation.Translate(exception);
            if (error.Status >= StatusCodes.Status500InternalServerError && exception is not ApiException)
                Log.RequestFailed(logger, exception, RequestIdentity.Of(context).Id, context.Request.Path);
            if (context.Response.HasStarted)
                context.Abort();
            else
                await WriteAsync(context, error).ConfigureAwait(false);
        }
    }

    private static ApiException Unrouted(HttpContext context) =>
        context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed
            ? new ApiException(StatusCodes.Status405MethodNotAllowed, "invalid_request_error", $"{Shorten(context.Request.Path)} does not answer {Shorten(context.Request.Method)}, but {context.Response.Headers.Allow}.", null, "method_not_allowed")
            : new ApiException(
                StatusCodes.Status404NotFound, "invalid_request_error", $"There is nothing at {Shorten(context.Request.Path)}.{Hint(context)}", null, "not_found");

    /// <summary>Names the path that a base URL without <c>/v1</c> meant.</summary>
    private static string Hint(HttpContext context)
    {
        string meant = "/v1" + context.Request.Path;
        return context.RequestServices.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Any(endpoint => endpoint.RoutePattern.RawText == meant)
            ? $" Did you mean {meant}?"
            : "";
    }

    private static string Shorten(string text) => text.Length <= 200 ? text : text[..200] + "…";

    private Task WriteAsync(HttpContext context, ApiException error)
    {
        server.Metrics.Refused(error);
        // Headers such as Allow and those of CORS stay; only what described another body goes.
        context.Response.ContentLength = null;
        if (error.RetryAfterSeconds is { } seconds)
            context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return JsonBody.WriteAsync(context, ErrorResponse.From(error), ServerJsonContext.Default.ErrorResponse, error.Status);
    }

    private static partial class Log
    {
        [LoggerMessage(501, LogLevel.Error, "Request {Id} to {Path} failed")]
        public static partial void RequestFailed(ILogger logger, Exception exception, string id, string path);

        [LoggerMessage(502, LogLevel.Debug, "Client of request {Id} to {Path} disconnected")]
        public static partial void ClientGone(ILogger logger, string id, string path);
    }
}
