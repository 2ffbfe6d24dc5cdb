using System.Net;
using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Ernie.Server.Requests;
using Ernie.Server.Routing;
using Ernie.Server.Security;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Ernie.Server;

/// <summary>Builds the web application: Kestrel, the pipeline and the routes.</summary>
internal static class ServerApplication
{
    // A client whose connection has just been set up is not yet slow.
    private static readonly TimeSpan s_bodyGrace = TimeSpan.FromSeconds(5);

    // Longer than the idle times of proxies and load balancers (nginx and ALB: 60 s), which would else send into a closed connection.
    private static readonly TimeSpan s_keepAlive = TimeSpan.FromSeconds(75);

    /// <summary>Builds; the caller starts, stops and disposes it.</summary>
    /// <param name="server">What the endpoints work with.</param>
    /// <param name="configureLogging">Adds to the log's targets.</param>
    public static WebApplication Build(ServerContext server, Action<ILoggingBuilder>? configureLogging = null)
    {
        // Empty, not slim: configuration files, user secrets and host filtering are not ours and cost start-up time.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, QuietLifetime>();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning);
        // What keeps it from starting is thrown, and becomes one line there.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        if (server.Options.LogRequests)
            builder.Logging.AddFilter(typeof(RequestObserver).FullName, LogLevel.Information);
        configureLogging?.Invoke(builder.Logging);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        // Bytes are sent by whoever wrote them: a stream of tokens is many small sends, and a hop to another thread costs as much as each.
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true).ConfigureKestrel(kestrel => Configure(kestrel, server));
        bool hasOrigins = server.Options.AllowedOrigins.Count > 0;
        if (hasOrigins)
        {
            builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
                .WithOrigins([.. server.Options.AllowedOrigins]).AllowAnyHeader().AllowAnyMethod().WithExposedHeaders(RequestIdentity.HeaderName, "Retry-After")));
        }

        WebApplication application = builder.Build();
        var guard = new BrowserGuard(server.Options);
        application.UseMiddleware<RequestObserver>(server);
        application.UseMiddleware<ErrorMiddleware>(server);
        application.Use(guard.CheckHostAsync);
        application.Use(PlainPath.InvokeAsync);
        application.UseRouting();
        // Before the keys: a preflight carries none.
        if (hasOrigins)
            application.UseCors();
        application.Use(guard.CheckOriginAsync);
        application.Use(new KeyCheck(server).InvokeAsync);
        application.Use(BrowserGuard.CheckContentTypeAsync);
        foreach (ServerRoute route in RouteTable.Create(server))
            application.MapMethods(route.Pattern, route.AllMethods, route.HandleAsync).WithMetadata(route);
        UnsupportedEndpoints.Map(application);
        return application;
    }

    private static void Configure(KestrelServerOptions kestrel, ServerContext server)
    {
        ServerOptions options = server.Options;
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        kestrel.Limits.KeepAliveTimeout = s_keepAlive;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(options.HeaderSeconds);
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(options.MinBodyBytesPerSecond, s_bodyGrace);
        // A reader may be as slow as it likes: its tokens wait in its own buffer.
        kestrel.Limits.MinResponseDataRate = null;
        if (options.Host == "localhost")
            kestrel.ListenLocalhost(options.Port, Limit);
        else
            kestrel.Listen(IPAddress.Parse(options.Host), options.Port, Limit);

        void Limit(ListenOptions listen)
        {
            ILogger logger = kestrel.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Connections.ConnectionLimit).FullName!); // A class has a name.
            listen.Use(next => server.Connections.Wrap(next, logger));
        }
    }
}
