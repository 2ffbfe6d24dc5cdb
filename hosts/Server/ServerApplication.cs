using System.Net;
using Ernie.Server.Endpoints;
using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Ernie.Server;

/// <summary>Builds the web application: Kestrel, the pipeline and the routes.</summary>
internal static class ServerApplication
{
    /// <summary>Builds; the caller starts, stops and disposes it.</summary>
    /// <param name="server">What the endpoints work with.</param>
    public static WebApplication Build(ServerContext server)
    {
        // Empty, not slim: configuration files, user secrets and host filtering are not ours and cost start-up time.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, QuietLifetime>();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning);
        // What keeps it from starting is thrown, and becomes one line there.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        // Bytes are sent by whoever wrote them: a stream of tokens is many small sends, and a hop to another thread costs as much as each.
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true).ConfigureKestrel(kestrel => Configure(kestrel, server.Options));
        if (server.Options.AllowedOrigins.Count > 0)
        {
            builder.Services.AddCors(cors => cors.AddDefaultPolicy(
                policy => policy.WithOrigins([.. server.Options.AllowedOrigins]).AllowAnyHeader().AllowAnyMethod()));
        }

        WebApplication application = builder.Build();
        application.UseMiddleware<ErrorMiddleware>();
        // Before the keys: a preflight carries none.
        if (server.Options.AllowedOrigins.Count > 0)
            application.UseCors();
        application.Use(new KeyCheck(server).InvokeAsync);
        MapRoutes(application, server);
        return application;
    }

    private static void Configure(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        // A reader may be as slow as it likes: its tokens wait in its own buffer.
        kestrel.Limits.MinResponseDataRate = null;
        if (options.Host == "localhost")
            kestrel.ListenLocalhost(options.Port);
        else
            kestrel.Listen(IPAddress.Parse(options.Host), options.Port);
    }

    private static void MapRoutes(WebApplication application, ServerContext server)
    {
        application.MapPost("/v1/chat/completions", new ChatCompletionsEndpoint(server).HandleAsync);
        application.MapPost("/v1/completions", new CompletionsEndpoint(server).HandleAsync);
        var models = new ModelsEndpoints(server);
        application.MapGet("/v1/models", models.ListAsync);
        application.MapGet("/v1/models/{**id}", models.ShowAsync);
        var tokenize = new TokenizeEndpoints(server);
        application.MapPost("/tokenize", tokenize.TokenizeAsync);
        application.MapPost("/detokenize", tokenize.DetokenizeAsync);
        application.MapGet("/", PlaygroundEndpoint.HandleAsync);
        var service = new ServiceEndpoints(server);
        application.MapGet("/health", service.HealthAsync);
        application.MapGet("/ready", service.ReadyAsync);
        application.MapGet("/ping", ServiceEndpoints.PingAsync);
        application.MapPost("/ping", ServiceEndpoints.PingAsync);
        application.MapGet("/version", ServiceEndpoints.VersionAsync);
        application.MapGet("/load", service.LoadAsync);
        application.MapGet("/metrics", service.MetricsAsync);
        application.MapGet("/config-info", service.ConfigAsync);
        var control = new ControlEndpoints(server);
        application.MapPost("/v1/pause", control.PauseAsync);
        application.MapPost("/v1/resume", control.ResumeAsync);
        application.MapPost("/v1/abort_requests", control.AbortAsync);
        application.MapPost("/reset_prefix_cache", control.ResetPrefixCacheAsync);
    }
}
