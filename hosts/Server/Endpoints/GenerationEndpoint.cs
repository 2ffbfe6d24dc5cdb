using System.Text.Json;
using Ernie.Hosting.Options;
using Ernie.Server.Api;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Server.Requests;
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
        Server.Metrics.RequestReceived();
        Server.Admission.RequireOpen();
        // Before the slot: whoever sends slowly keeps nobody out.
        using JsonDocument body = await RequestBody.ReadAsync(context, Server.Bodies).ConfigureAwait(false);
        using IDisposable slot = Server.Admission.Enter();
        TRequest request = Identify(context, await ReadAsync(body.RootElement, context.RequestAborted).ConfigureAwait(false));
        Server.Metrics.RequestRead(request);
        if (request.Settings.Stream)
        {
            await StreamRunner.RunAsync(context, Server, request, CreateFormat(request)).ConfigureAwait(false);
            return;
        }

        (ChoiceCollector[] choices, Usage usage) = await ChoiceCollector.RunAsync(Server, request, context.RequestAborted).ConfigureAwait(false);
        await AnswerAsync(context, request, choices, usage).ConfigureAwait(false);
    }

    /// <summary>Begins the ids of this endpoint's answers.</summary>
    protected abstract string IdPrefix { get; }

    /// <summary>Reads, checks and encodes a request.</summary>
    protected abstract Task<TRequest> ReadAsync(JsonElement root, CancellationToken cancellationToken);

    /// <summary>The same request with other settings.</summary>
    protected abstract TRequest With(TRequest request, GenerationSettings settings);

    /// <summary>The events of the request's stream.</summary>
    protected abstract StreamFormat CreateFormat(TRequest request);

    /// <summary>Writes the whole answer.</summary>
    protected abstract Task AnswerAsync(HttpContext context, TRequest request, ChoiceCollector[] choices, Usage usage);

    /// <summary>Gives a request what its headers say.</summary>
    private TRequest Identify(HttpContext context, TRequest request)
    {
        RequestIdentity identity = RequestIdentity.Of(context);
        GenerationSettings settings = request.Settings;
        return With(request, settings with
        {
            Id = identity.Adopt(context, IdPrefix, settings.Id),
            Tenant = identity.Tenant,
            CacheSalt = Server.Options.CacheSaltBy == CacheSaltSource.Key ? $"{identity.Key}:{settings.CacheSalt}" : settings.CacheSalt,
        });
    }
}
