using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ernie.Server.Api;

namespace Ernie.Server.Streaming;

/// <summary>
/// Writes server-sent events. Nothing is sent before the first event or keep-alive, so that an error before it can still
/// have a status of its own.
/// </summary>
/// <param name="context">The request.</param>
/// <param name="keepAlive">Silence after which a comment is sent.</param>
internal sealed class SseWriter(HttpContext context, TimeSpan keepAlive) : IDisposable
{
    private readonly Utf8JsonWriter _json = new(context.Response.BodyWriter, JsonBody.WriterOptions);

    /// <summary>Whether headers have gone out.</summary>
    public bool Started { get; private set; }

    /// <summary>Writes <c>data: </c> and a JSON object, without flushing.</summary>
    public void Write<T>(T value, JsonTypeInfo<T> type)
    {
        Start();
        context.Response.BodyWriter.Write("data: "u8);
        _json.Reset();
        JsonSerializer.Serialize(_json, value, type);
        _json.Flush();
        context.Response.BodyWriter.Write("\n\n"u8);
    }

    /// <summary>Writes the end of the stream.</summary>
    public void WriteDone()
    {
        Start();
        context.Response.BodyWriter.Write("data: [DONE]\n\n"u8);
    }

    /// <summary>Sends what was written.</summary>
    public async ValueTask FlushAsync() =>
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted).ConfigureAwait(false);

    /// <summary>Waits for the next element, sending comments while none comes.</summary>
    public async ValueTask<bool> MoveNextAsync<T>(IAsyncEnumerator<T> source)
    {
        ValueTask<bool> next = source.MoveNextAsync();
        if (next.IsCompleted)
            return await next.ConfigureAwait(false);
        Task<bool> waiting = next.AsTask();
        while (await Task.WhenAny(waiting, Task.Delay(keepAlive, context.RequestAborted)).ConfigureAwait(false) != waiting
            && !context.RequestAborted.IsCancellationRequested)
        {
            Start();
            context.Response.BodyWriter.Write(": keep-alive\n\n"u8);
            await FlushAsync().ConfigureAwait(false);
        }

        return await waiting.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _json.Dispose();

    private void Start()
    {
        if (Started)
            return;
        Started = true;
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        // Asks nginx not to collect the stream.
        context.Response.Headers["X-Accel-Buffering"] = "no";
    }
}
