using Ernie.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Ernie.Server.Hosting;

/// <summary>The HTTP front end of an engine.</summary>
/// <param name="options">Settings.</param>
/// <param name="started">Told the address once the server listens.</param>
internal sealed class ServerHost(ServerOptions options, Action<string>? started = null) : IEngineHost, IDisposable
{
    private readonly CancellationTokenSource _abort = new();

    /// <inheritdoc/>
    public string Name => "http";

    /// <summary>Ends running requests instead of waiting for them: the second signal.</summary>
    public void Abort() => _abort.Cancel();

    /// <inheritdoc/>
    public async Task<int> RunAsync(IHostContext context, IReadOnlyList<string> args, CancellationToken stopping)
    {
        var server = new ServerContext(context, options);
        WebApplication application = ServerApplication.Build(server);
        await using (application.ConfigureAwait(false))
        {
            await application.StartAsync(CancellationToken.None).ConfigureAwait(false);
            started?.Invoke(Address(application));
            await UntilAsync(stopping).ConfigureAwait(false);
            await DrainAsync(server).ConfigureAwait(false);
            await application.StopAsync(CancellationToken.None).ConfigureAwait(false);
        }

        server.Dispose();
        return 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _abort.Dispose();

    private static string Address(WebApplication application) =>
        application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";

    private static async Task UntilAsync(CancellationToken stopping)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = stopping.Register(stopped.SetResult);
        await stopped.Task.ConfigureAwait(false);
    }

    /// <summary>Lets running requests end, for as long as the settings allow or until a second signal; then ends them.</summary>
    private async Task DrainAsync(ServerContext server)
    {
        server.Admission.StartDraining();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_abort.Token);
        limit.CancelAfter(TimeSpan.FromSeconds(options.GracefulShutdownSeconds));
        try
        {
            // First the requests that still write their last bytes, then the engine, which others may use too.
            while (server.Admission.Inside > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(20), limit.Token).ConfigureAwait(false);
            await server.Engine.DrainAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await server.Engine.AbortAllAsync().ConfigureAwait(false);
        }
    }
}
