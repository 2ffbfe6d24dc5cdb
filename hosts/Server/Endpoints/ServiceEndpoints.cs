using System.Runtime.InteropServices;
using Ernie.Generation;
using Ernie.Server.Api;
using Ernie.Server.Hosting;
using Ernie.Server.Metrics.Catalogue;

namespace Ernie.Server.Endpoints;

/// <summary>Probes, version, load, metrics and configuration.</summary>
internal sealed class ServiceEndpoints(ServerContext server)
{
    /// <summary><c>GET /health</c>: fails while a step hangs, or after the engine gave up.</summary>
    public Task HealthAsync(HttpContext context) => server.Health.FindFault() is { } fault
        ? Probe(context, "unhealthy", fault)
        : Probe(context, "ok", null);

    /// <summary><c>GET /ready</c>: fails while the server takes nothing new.</summary>
    public Task ReadyAsync(HttpContext context)
    {
        if (server.Admission.Draining)
            return Probe(context, "draining", "The server is shutting down.");
        return server.Health.FindFault() is { } fault ? Probe(context, "unhealthy", fault) : Probe(context, "ready", null);
    }

    /// <summary><c>GET /ping</c>: the process answers.</summary>
    public static Task PingAsync(HttpContext context) =>
        JsonBody.WriteAsync(context, new StatusResponse("ok"), ServerJsonContext.Default.StatusResponse);

    /// <summary><c>GET /version</c>.</summary>
    public static Task VersionAsync(HttpContext context) => JsonBody.WriteAsync(
        context, new VersionResponse(ServerContext.Version, RuntimeInformation.FrameworkDescription), ServerJsonContext.Default.VersionResponse);

    /// <summary><c>GET /load</c>: what a router balances by.</summary>
    public Task LoadAsync(HttpContext context)
    {
        EngineStatistics statistics = server.Engine.GetStatistics();
        var load = new LoadResponse(
            server.Admission.Inside, statistics.Running, statistics.Waiting, MetricView.Share(statistics.PagesInUse, server.Engine.Info.PageCount));
        return JsonBody.WriteAsync(context, load, ServerJsonContext.Default.LoadResponse);
    }

    /// <summary><c>GET /metrics</c>.</summary>
    public async Task MetricsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await context.Response.WriteAsync(server.Metrics.Render(), context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary><c>GET /config-info</c>.</summary>
    public Task ConfigAsync(HttpContext context)
    {
        EngineInfo info = server.Engine.Info;
        var config = new ConfigInfo
        {
            ServedModelNames = server.ModelNames,
            Device = info.Device,
            MaxModelLen = info.MaxModelLength,
            MaxNumSeqs = info.MaxSequences,
            BlockSize = info.TokensPerPage,
            NumGpuBlocks = info.PageCount,
            VocabSize = info.VocabularySize,
            CachePolicy = info.CachePolicy,
            Samplers = info.Samplers,
            MaxLogprobs = server.Options.MaxLogprobs,
            MaxConcurrency = server.Options.MaxConcurrency,
        };
        return JsonBody.WriteAsync(context, config, ServerJsonContext.Default.ConfigInfo);
    }

    private static Task Probe(HttpContext context, string status, string? reason) => JsonBody.WriteAsync(
        context,
        new StatusResponse(status) { Reason = reason },
        ServerJsonContext.Default.StatusResponse,
        reason is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
}
