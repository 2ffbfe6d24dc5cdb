using Ernie.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Ernie.Server.Hosting;

/// <summary>The HTTP front end of an engine.</summary>
/// <param name="options">Settings.</param>
/// <param name="started">Told the address once the server listens.</param>
internal sealed class ServerHost(ServerOptions options, Action<string>? started = null) : IEngineHost, IDisposable
{
    private static readonly TimeSpan s_lastBytes = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_teardown = TimeSpan.FromSeconds(0.25);

    private readonly CancellationTokenSource _abort = new();

    /// <inheritdoc/>
    public string Name => "http";

    /// <summary>Ends running requests instead of waiting for them: the second signal.</summary>
    public void Abort() => _abort.Cancel();

    /// <summary>Connections at once, once the server listens.</summary>
    public int MaxConnections { get; private set; }

    /// <inheritdoc/>
    public async Task<int> RunAsync(IHostContext context, IReadOnlyList<string> args, CancellationToken stopping)
    {
        var server = new ServerContext(context, options);
        MaxConnections = server.Connections.Most;
        WebApplication application = ServerApplication.Build(server);
        await using (application.ConfigureAwait(false))
        {
            await application.StartAsync(CancellationToken.None).ConfigureAwait(false);
            started?.Invoke(Address(application));
            await UntilAsync(stopping).ConfigureAwait(false);
            await DrainAsync(server, application).ConfigureAwait(false);
        }

        server.Dispose();
        return 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _abort.Dispose();

    private static string Address(WebApplication application) =>
        application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static async Task UntilAsync(CancellationToken stopping)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = stopping.Register(stopped.SetResult);
        await stopped.Task.ConfigureAwait(false);
    }

    /// <summary>
    /// Lets running requests end, for as long as the settings allow or until a second signal; then ends them. The last part of the
    /// time is kept for the bytes that say so.
    /// </summary>
    private async Task DrainAsync(ServerContext server, WebApplication application)
    {
        // A part of the time is the engine's and the process's own end.
        TimeSpan allowed = TimeSpan.FromSeconds(options.GracefulShutdownSeconds) - Least(TimeSpan.FromSeconds(options.GracefulShutdownSeconds) / 10, s_teardown);
        TimeSpan last = Least(allowed / 10, s_lastBytes);
        server.Admission.StartDraining();
        server.Bodies.StartDraining();
        using var end = new CancellationTokenSource(allowed);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_abort.Token);
        limit.CancelAfter(allowed - last);
        try
        {
            // First the requests that still write their last bytes, then the engine, which others may use too.
            while (server.Admission.Inside > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(20), limit.Token).ConfigureAwait(false);
            await server.Engine.DrainAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // A step that hangs holds the engine's answer up.
            await ((Task)server.Engine.AbortAllAsync().WaitAsync(s_lastBytes, end.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // What is open now are idle connections, bodies that nobody waits for, and readers of last bytes.
        using var close = CancellationTokenSource.CreateLinkedTokenSource(end.Token);
        close.CancelAfter(s_lastBytes);
        await application.StopAsync(close.Token).ConfigureAwait(false);
    }
}
