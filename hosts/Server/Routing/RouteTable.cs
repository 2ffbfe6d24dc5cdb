using Ernie.Server.Endpoints;
using Ernie.Server.Hosting;

namespace Ernie.Server.Routing;

/// <summary>Every path that the server answers.</summary>
internal static class RouteTable
{
    /// <summary>Makes the table.</summary>
    /// <param name="server">What the endpoints work with.</param>
    public static IReadOnlyList<Route> Create(ServerContext server)
    {
        var models = new ModelsEndpoints(server);
        var tokenize = new TokenizeEndpoints(server);
        var service = new ServiceEndpoints(server);
        var control = new ControlEndpoints(server);
        return
        [
            Route.Post("/v1/chat/completions", new ChatCompletionsEndpoint(server).HandleAsync),
            Route.Post("/v1/completions", new CompletionsEndpoint(server).HandleAsync),
            Route.Get("/v1/models", models.ListAsync),
            Route.Get("/v1/models/{**id}", models.ShowAsync),
            Route.Post("/tokenize", tokenize.TokenizeAsync),
            Route.Post("/detokenize", tokenize.DetokenizeAsync),
            Route.Get("/", PlaygroundEndpoint.HandleAsync, Access.Open),
            Route.Get("/health", service.HealthAsync, Access.Open),
            Route.Get("/ready", service.ReadyAsync, Access.Open),
            new Route("/ping", [HttpMethods.Get, HttpMethods.Post], ServiceEndpoints.PingAsync) { Access = Access.Open },
            Route.Get("/version", ServiceEndpoints.VersionAsync, Access.Open),
            Route.Get("/load", service.LoadAsync),
            Route.Get("/metrics", service.MetricsAsync, Access.Open),
            Route.Get("/config-info", service.ConfigAsync),
            Route.Post("/v1/pause", control.PauseAsync, Access.Control),
            Route.Post("/v1/resume", control.ResumeAsync, Access.Control),
            Route.Post("/v1/abort_requests", control.AbortAsync, Access.Control),
            Route.Post("/reset_prefix_cache", control.ResetPrefixCacheAsync, Access.Control),
        ];
    }
}
