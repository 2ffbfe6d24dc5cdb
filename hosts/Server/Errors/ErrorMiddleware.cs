using Ernie.Server.Api;

namespace Ernie.Server.Errors;

/// <summary>The door of one request: whatever it throws leaves as <c>{"error": …}</c> with a real status.</summary>
internal sealed partial class ErrorMiddleware(RequestDelegate next, ILogger<ErrorMiddleware> logger)
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
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone: there is nobody to answer, and the generation's own finally blocks have freed its pages.
            Log.ClientGone(logger, context.Request.Path);
        }
#pragma warning disable CA1031 // One of the three doors at which everything is caught: a request must not end the process.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            ApiException error = ErrorTranslation.Translate(exception);
            if (error.Status >= StatusCodes.Status500InternalServerError && exception is not ApiException)
                Log.RequestFailed(logger, exception, context.Request.Path);
            if (context.Response.HasStarted)
                context.Abort();
            else
                await WriteAsync(context, error).ConfigureAwait(false);
        }
    }

    private static ApiException Unrouted(HttpContext context) =>
        context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed
            ? new ApiException(StatusCodes.Status405MethodNotAllowed, "invalid_request_error", $"{context.Request.Path} does not answer {context.Request.Method}.", null, "method_not_allowed")
            : new ApiException(StatusCodes.Status404NotFound, "invalid_request_error", $"There is nothing at {context.Request.Path}.", null, "not_found");

    private static Task WriteAsync(HttpContext context, ApiException error)
    {
        // Headers such as Allow and those of CORS stay; only what described another body goes.
        context.Response.ContentLength = null;
        if (error.RetryAfterSeconds is { } seconds)
            context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return JsonBody.WriteAsync(context, ErrorResponse.From(error), ServerJsonContext.Default.ErrorResponse, error.Status);
    }

    private static partial class Log
    {
        [LoggerMessage(501, LogLevel.Error, "Request to {Path} failed")]
        public static partial void RequestFailed(ILogger logger, Exception exception, string path);

        [LoggerMessage(502, LogLevel.Debug, "Client of {Path} disconnected")]
        public static partial void ClientGone(ILogger logger, string path);
    }
}
