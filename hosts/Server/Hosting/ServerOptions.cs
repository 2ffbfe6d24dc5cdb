using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;

namespace Ernie.Server.Hosting;

/// <summary>What the HTTP side is configured with: a view of the options, and what has no option.</summary>
/// <param name="Given">The options.</param>
internal sealed record ServerOptions(OptionSet Given)
{
    /// <summary>Every option at its default.</summary>
    public ServerOptions()
        : this(OptionSet.Defaults)
    {
    }

    /// <summary>Address to listen on: an IP address, or a name such as <c>localhost</c>.</summary>
    public string Host { get; init; } = Given.Get(ServerRows.Host);

    /// <summary>TCP port; 0 takes a free one.</summary>
    public int Port { get; init; } = Given.Get(ServerRows.Port);

    /// <summary>Names under which the model is served; the engine's own name when empty.</summary>
    public IReadOnlyList<string> ServedModelNames { get; init; } = Given.Get(ModelRows.ServedModelNames);

    /// <summary>Keys of which a client must show one; none means that no key is asked for.</summary>
    public IReadOnlyList<string> ApiKeys { get; init; } = Given.Get(ServerRows.ApiKeys);

    /// <summary>Key of the control endpoints; null leaves them to <see cref="ApiKeys"/>.</summary>
    public string? AdminKey { get; init; } = Given.Get(ServerRows.AdminKey);

    /// <summary>Generation requests served at once; one more is a 429.</summary>
    public int MaxConcurrency { get; init; } = Given.Get(ServerRows.MaxConcurrency);

    /// <summary>Seconds a sequence may wait for its first event before its request is a 429; negative for ever.</summary>
    public double MaxWaitingSeconds { get; init; } = Given.Get(ServerRows.MaxWaitingSeconds);

    /// <summary>Most alternatives per token that a request may ask for.</summary>
    public int MaxLogprobs { get; init; } = Given.Get(SamplingRows.MaxLogprobs) is >= 0 and var most ? most : int.MaxValue;

    /// <summary>Seconds that running requests have after the first signal to stop.</summary>
    public double GracefulShutdownSeconds { get; init; } = Math.Max(0, Given.Get(ServerRows.GracefulShutdownSeconds));

    /// <summary>Origins that browsers may call from; <c>*</c> allows all; none when empty.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = Given.Get(ServerRows.AllowedOrigins);

    /// <summary>Largest request body in bytes; a larger one is a 413.</summary>
    public long MaxBodyBytes { get; init; } = 32L << 20;

    /// <summary>Seconds without an event after which a stream gets a comment, so that proxies keep it open.</summary>
    public double KeepAliveSeconds { get; init; } = 5;

    /// <summary>Seconds a step may take before the engine counts as hung.</summary>
    public double HungStepSeconds { get; init; } = 120;
}
