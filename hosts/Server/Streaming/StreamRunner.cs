using Ernie.Server.Api;
using Ernie.Server.Errors;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Server.Requests;

namespace Ernie.Server.Streaming;

/// <summary>Runs a request and streams it.</summary>
internal static partial class StreamRunner
{
    /// <summary>Streams until every choice has ended. An error before the first byte is thrown, one after it is an event.</summary>
    public static async Task RunAsync(
        HttpContext context, ServerContext server, IGenerationRequest request, StreamFormat format)
    {
        using var sse = new SseWriter(context, TimeSpan.FromSeconds(server.Options.KeepAliveSeconds), server.Clock);
        try
        {
            await StreamAsync(context, server, request, format, sse).ConfigureAwait(false);
        }
        catch (Exception exception) when (sse.Started && !ClientDisconnect.Is(exception, context))
        {
            ApiException error = ErrorTranslation.Translate(exception);
            server.Metrics.Refused(error);
            if (exception is not ApiException)
                Log.StreamFailed(context.RequestServices.GetRequiredService<ILogger<SseWriter>>(), exception, request.Settings.Id);
            sse.Write(ErrorResponse.From(error), ServerJsonContext.Default.ErrorResponse);
            sse.WriteDone();
            await sse.FlushAsync().ConfigureAwait(false);
        }
    }

    private static async Task StreamAsync(
        HttpContext context, ServerContext server, IGenerationRequest request, StreamFormat format, SseWriter sse)
    {
        GenerationSettings settings = request.Settings;
        var usage = new UsageCounter(request, server.Options.ReportCachedTokens);
        IAsyncEnumerator<ChoiceDelta> deltas = ChoiceStream.RunAsync(server, settings, request.Prompts, context.RequestAborted).GetAsyncEnumerator(context.RequestAborted);
        await using (deltas.ConfigureAwait(false))
        {
            bool begun = false;
            while (await sse.MoveNextAsync(deltas).ConfigureAwait(false))
            {
                if (!begun)
                    format.Begin(sse, settings.ContinuousUsage ? usage.Sent : null);
                begun = true;
                usage.Add(deltas.Current);
                format.Write(sse, deltas.Current, settings.ContinuousUsage ? usage.Sent : null);
            }
        }

        if (settings.IncludeUsage)
            format.WriteUsage(sse, usage.Current);
        sse.WriteDone();
        await sse.FlushAsync().ConfigureAwait(false);
    }

    private static partial class Log
    {
        [LoggerMessage(511, LogLevel.Error, "Stream {Id} failed after its first byte")]
        public static partial void StreamFailed(ILogger logger, Exception exception, string id);
    }
}
