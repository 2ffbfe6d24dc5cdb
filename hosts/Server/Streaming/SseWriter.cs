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
/// <param name="clock">Clock of the silence.</param>
internal sealed class SseWriter(HttpContext context, TimeSpan keepAlive, TimeProvider clock) : IDisposable
{
    // A source that is always ahead is not collected for ever.
    private const int MostUnsentEvents = 64;

    private readonly Utf8JsonWriter _json = new(context.Response.BodyWriter, JsonBody.WriterOptions);
    private readonly SilenceWatch _watch = new(keepAlive, clock);
    private int _unsent;

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

    /// <summary>Writes an event of which only the text is new, without flushing.</summary>
    public void Write(ChunkTemplate template, string text)
    {
        Start();
        template.Write(context.Response.BodyWriter, text);
    }

    /// <summary>Writes the end of the stream.</summary>
    public void WriteDone()
    {
        Start();
        context.Response.BodyWriter.Write("data: [DONE]\n\n"u8);
    }

    /// <summary>Sends what was written; nothing when nothing was, so that the headers stay open until the first event.</summary>
    public async ValueTask FlushAsync()
    {
        if (_unsent == 0)
            return;
        _unsent = 0;
        _watch.Heard();
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>
    /// Takes the next element. When it is not there yet, sends what was written before and waits, sending comments in long silences: events
    /// that come faster than they can be sent go out together.
    /// </summary>
    public async ValueTask<bool> MoveNextAsync<T>(IAsyncEnumerator<T> source)
    {
        if (_unsent >= MostUnsentEvents)
            await FlushAsync().ConfigureAwait(false);
        ValueTask<bool> next = source.MoveNextAsync();
        if (next.IsCompleted)
            return await next.ConfigureAwait(false);
        _watch.Watch(next);
        try
        {
            await FlushAsync().ConfigureAwait(false);
            while (!await _watch.WaitAsync().ConfigureAwait(false))
            {
                if (context.RequestAborted.IsCancellationRequested)
                    continue;
                Start();
                context.Response.BodyWriter.Write(": keep-alive\n\n"u8);
                await FlushAsync().ConfigureAwait(false);
            }
        }
        catch
        {
            // The source cannot be disposed while it moves; what keeps the bytes from going out ends it too.
            while (!await _watch.WaitAsync().ConfigureAwait(false))
            {
            }

            throw;
        }

        return _watch.Result();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _watch.Dispose();
        _json.Dispose();
    }

    private void Start()
    {
        _unsent++;
        if (Started)
            return;
        Started = true;
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";
        // Asks nginx not to collect the stream.
        context.Response.Headers["X-Accel-Buffering"] = "no";
    }
}
