using System.Text.Json;
using Ernie.Server.Api;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Server.Streaming;
using Ernie.Server.Validation;

namespace Ernie.Server.Endpoints;

/// <summary>An endpoint that generates: admits a request, reads it, and answers it whole or as a stream.</summary>
/// <typeparam name="TRequest">The checked request.</typeparam>
internal abstract class GenerationEndpoint<TRequest>(ServerContext server)
    where TRequest : IGenerationRequest
{
    /// <summary>What the endpoint works with.</summary>
    protected ServerContext Server { get; } = server;

    /// <summary>Answers a request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        using IDisposable slot = Server.Admission.Enter();
        using JsonDocument body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        TRequest request = Read(body.RootElement, Server.Options.CacheSaltBy == CacheSaltSource.Key ? CallerKey.Of(context) : null);
        if (request.Settings.Stream)
        {
            await StreamRunner.RunAsync(context, Server, request, CreateFormat(request)).ConfigureAwait(false);
            return;
        }

        (ChoiceCollector[] choices, Usage usage) = await ChoiceCollector.RunAsync(Server, request, context.RequestAborted).ConfigureAwait(false);
        await AnswerAsync(context, request, choices, usage).ConfigureAwait(false);
    }

    /// <summary>Reads, checks and encodes a request.</summary>
    /// <param name="root">A JSON object.</param>
    /// <param name="caller">Who asks, where caches are separated by it.</param>
    protected abstract TRequest Read(JsonElement root, string? caller);

    /// <summary>The events of the request's stream.</summary>
    protected abstract StreamFormat CreateFormat(TRequest request);

    /// <summary>Writes the whole answer.</summary>
    protected abstract Task AnswerAsync(HttpContext context, TRequest request, ChoiceCollector[] choices, Usage usage);
}
