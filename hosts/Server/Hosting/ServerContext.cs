using System.Security.Cryptography;
using System.Text;
using Ernie.Generation;
using Ernie.Hosting;
using Ernie.Server.Connections;
using Ernie.Server.Errors;
using Ernie.Server.Metrics;
using Ernie.Server.Requests;
using Ernie.Text;

namespace Ernie.Server.Hosting;

/// <summary>What every endpoint works with. One per server.</summary>
internal sealed class ServerContext : IDisposable
{
    private readonly IHostContext _host;

    /// <summary>Binds a loaded model to the server's settings.</summary>
    public ServerContext(IHostContext host, ServerOptions options, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(options);
        _host = host;
        Options = options;
        Clock = clock ?? TimeProvider.System;
        EngineInfo info = host.Engine.Info;
        ModelNames = options.ServedModelNames.Count > 0 ? [.. options.ServedModelNames.Distinct(StringComparer.Ordinal)] : [info.ModelName];
        Connections = ConnectionLimit.Create(options.MaxConnections);
        Created = Clock.GetUtcNow().ToUnixTimeSeconds();
        SystemFingerprint = Fingerprint(info);
        Metrics = new ServerMetrics(this);
        Bodies = new BodyReader(options, Clock);
        Admission = new Admission(options.MaxConcurrency);
        Health = new HealthMonitor(host.Engine, TimeSpan.FromSeconds(options.HungStepSeconds), Clock);
    }

    /// <summary>The engine.</summary>
    public IEngine Engine => _host.Engine;

    /// <summary>The model's tokenizer.</summary>
    public ITokenizer Tokenizer => _host.Tokenizer;

    /// <summary>The model's own defaults.</summary>
    public GenerationDefaults Defaults => _host.Defaults;

    /// <summary>The model's chat template; null when it has none.</summary>
    public IChatTemplate? ChatTemplate => _host.ChatTemplate;

    /// <summary>Where chat templates are rendered.</summary>
    public RenderingLanes Rendering { get; } = new();

    /// <summary>Settings.</summary>
    public ServerOptions Options { get; }

    /// <summary>Clock of timestamps and waits.</summary>
    public TimeProvider Clock { get; }

    /// <summary>Names under which the model is served; the first one is reported.</summary>
    public IReadOnlyList<string> ModelNames { get; }

    /// <summary>When the server started, seconds since 1970.</summary>
    public long Created { get; }

    /// <summary>Changes when the model, the device or the program does.</summary>
    public string SystemFingerprint { get; }

    /// <summary>Who may connect.</summary>
    public ConnectionLimit Connections { get; }

    /// <summary>Reads requests' bodies.</summary>
    public BodyReader Bodies { get; }

    /// <summary>Counters of this server.</summary>
    public ServerMetrics Metrics { get; }

    /// <summary>Who may generate now.</summary>
    public Admission Admission { get; }

    /// <summary>Whether the engine's steps come to an end.</summary>
    public HealthMonitor Health { get; }

    /// <summary>Token ids are below this.</summary>
    public int Vocabulary => Engine.Info.VocabularySize;

    /// <summary>Version of the program.</summary>
    public static string Version { get; } = typeof(ServerContext).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>Checks a request's model.</summary>
    /// <returns>The name to report.</returns>
    /// <exception cref="ApiException">404: no such model here.</exception>
    public string RequireModel(string name)
    {
        if (ModelNames.Contains(name, StringComparer.Ordinal))
            return name;
        // Clients that do not care send one of these; FastDeploy takes them.
        if (name is "default" or "null" or "")
            return ModelNames[0];
        throw new ApiException(
            StatusCodes.Status404NotFound, "invalid_request_error", $"The model '{name}' does not exist here; this server has {string.Join(", ", ModelNames)}.", "model", "model_not_found");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Health.Dispose();
        Bodies.Dispose();
        Metrics.Dispose();
        Rendering.Dispose();
    }

    private static string Fingerprint(EngineInfo info)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{info.ModelName}|{info.Device}|{info.VocabularySize}|{Version}"));
        return "fp_" + Convert.ToHexStringLower(hash.AsSpan(0, 5));
    }
}
