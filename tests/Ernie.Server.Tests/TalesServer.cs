using Ernie.Hosting;
using Ernie.Hosting.Options;

namespace Ernie.Server.Tests;

/// <summary>The embedded tales model on the CPU, loaded once for all tests that need a real engine.</summary>
public sealed class TalesServer : IAsyncLifetime
{
    private EngineSession? _session;
    private TestServer? _server;

    internal TestServer Server => _server!; // Set before the first test runs.

    public async ValueTask InitializeAsync()
    {
        OptionSet options = new OptionParser(OptionTable.WithoutServer).Parse(["--device", "cpu", "--max-model-len", "2048"], _ => null);
        _session = await new EngineBuilder(options).BuildAsync();
        _server = await TestServer.StartAsync(_session);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        if (_session is not null)
            await _session.DisposeAsync();
    }
}
