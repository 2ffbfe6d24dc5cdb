using Ernie.Server.Endpoints;
using Ernie.Server.Hosting;

namespace Ernie.Server.Routing;

/// <summary>Every path that the server answers.</summary>
internal static class RouteTable
{
    /// <summary>Makes the table.</summary>
    /// <param name="server">What the endpoints work with.</param>
    public static IReadOnlyList<ServerRoute> Create(ServerContext server)
    {
        var models = new ModelsEndpoints(server);
        var tokenize = new TokenizeEndpoints(server);
        var service = new ServiceEndpoints(server);
        var control = new ControlEndpoints(server);
        return
        [
            ServerRoute.Post("/v1/chat/completions", new ChatCompletionsEndpoint(server).HandleAsync),
            ServerRoute.Post("/v1/completions", new CompletionsEndpoint(server).HandleAsync),
            ServerRoute.Get("/v1/models", models.ListAsync),
            ServerRoute.Get("/v1/models/{**id}", models.ShowAsync),
            ServerRoute.Post("/tokenize", tokenize.TokenizeAsync),
            ServerRoute.Post("/detokenize", tokenize.DetokenizeAsync),
            ServerRoute.Get("/", PlaygroundEndpoint.HandleAsync, Access.Open),
            ServerRoute.Get("/health", service.HealthAsync, Access.Open),
            ServerRoute.Get("/ready", service.ReadyAsync, Access.Open),
            new ServerRoute("/ping", [HttpMethods.Get, HttpMethods.Post], ServiceEndpoints.PingAsync) { Access = Access.Open },
            ServerRoute.Get("/version", ServiceEndpoints.VersionAsync, Access.Open),
            ServerRoute.Get("/load", service.LoadAsync),
            ServerRoute.Get("/metrics", service.MetricsAsync, Access.Open),
            ServerRoute.Get("/config-info", service.ConfigAsync),
            ServerRoute.Post("/v1/pause", control.PauseAsync, Access.Control),
            ServerRoute.Post("/v1/resume", control.ResumeAsync, Access.Control),
            ServerRoute.Post("/v1/abort_requests", control.AbortAsync, Access.Control),
            ServerRoute.Post("/reset_prefix_cache", control.ResetPrefixCacheAsync, Access.Control),
        ];
    }
}
