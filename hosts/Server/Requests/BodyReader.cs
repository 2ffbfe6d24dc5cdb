using System.IO.Pipelines;
using System.Text.Json;
using Ernie.Server.Errors;
using Ernie.Server.Hosting;

namespace Ernie.Server.Requests;

/// <summary>Reads bodies within a time and a memory, and gives unfinished ones up when the server drains.</summary>
internal sealed class BodyReader(ServerOptions options, TimeProvider clock) : IDisposable
{
    private readonly BodyBudget _budget = new(options.MaxBufferedBodyBytes);
    private readonly CancellationTokenSource _draining = new();

    /// <summary>Gives up the bodies that are not whole yet, and all later ones.</summary>
    public void StartDraining() => _draining.Cancel();

    /// <summary>Reads and parses a body.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    /// <exception cref="ApiException">408: it did not come in time; 503: the server drains or holds too many.</exception>
    public async Task<JsonDocument> ParseAsync(HttpContext context)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(options.BodySeconds), clock);
        PipeReader reader = context.Request.BodyReader;
        using CancellationTokenRegistration onLate = late.Token.Register(reader.CancelPendingRead);
        using CancellationTokenRegistration onDraining = _draining.Token.Register(reader.CancelPendingRead);
        var body = new MeteredBody(reader, _budget);
        await using (body.ConfigureAwait(false))
        {
            try
            {
                return await JsonDocument.ParseAsync(body).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
            {
                // What else comes of it is not read as a next request.
                context.Response.Headers.Connection = "close";
                throw _draining.IsCancellationRequested ? ApiException.Draining() : ApiException.Late(options.BodySeconds);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _draining.Dispose();
}
