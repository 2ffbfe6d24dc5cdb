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

    /// <summary>Checks what options say of each other.</summary>
    /// <exception cref="OptionException">Two of them do not fit.</exception>
    public void Check()
    {
        if (CacheSaltBy == CacheSaltSource.Key && ApiKeys.Count == 0)
            throw new OptionException("--cache-salt-by is key, and there is no --api-key by which callers could be told apart.");
    }

    /// <summary>Address to listen on: an IP address, or a name such as <c>localhost</c>.</summary>
    public string Host { get; init; } = Given.Get(ServerRows.Host);

    /// <summary>TCP port; 0 takes a free one.</summary>
    public int Port { get; init; } = Given.Get(ServerRows.Port);

    /// <summary>Names under which the model is served; the engine's own name when empty.</summary>
    public IReadOnlyList<string> ServedModelNames { get; init; } = Given.Get(ModelRows.ServedModelNames);

    /// <summary>Keys of which a client must show one, alone or as <c>name=key</c>; none means that no key is asked for.</summary>
    public IReadOnlyList<string> ApiKeys { get; init; } = Given.Get(ServerRows.ApiKeys);

    /// <summary>Key of the control endpoints; null leaves them to <see cref="ApiKeys"/>.</summary>
    public string? AdminKey { get; init; } = Given.Get(ServerRows.AdminKey);

    /// <summary>Generation requests served at once; one more is a 429.</summary>
    public int MaxConcurrency { get; init; } = Given.Get(ServerRows.MaxConcurrency);

    /// <summary>Seconds a sequence may wait for its first event before its request is a 429; negative for ever.</summary>
    public double MaxWaitingSeconds { get; init; } = Given.Get(ServerRows.MaxWaitingSeconds);

    /// <summary>Most alternatives per token that a request may ask for.</summary>
    public int MaxLogprobs { get; init; } = Given.Get(SamplingRows.MaxLogprobs) is >= 0 and var most ? most : int.MaxValue;

    /// <summary>Choices, prompts × n, that one request may have.</summary>
    public int MaxChoicesPerRequest { get; init; } = Given.Get(ServerRows.MaxChoicesPerRequest);

    /// <summary>Whether requests may bring a chat template of their own.</summary>
    public bool TrustRequestChatTemplate { get; init; } = Given.Get(ServerRows.TrustRequestChatTemplate);

    /// <summary>What separates the prefix caches of callers.</summary>
    public CacheSaltSource CacheSaltBy { get; init; } = Given.Get(ServerRows.CacheSaltBy);

    /// <summary>Whether usage tells how many tokens of a prompt were cached.</summary>
    public bool ReportCachedTokens { get; init; } = Given.Get(ServerRows.ReportCachedTokens);

    /// <summary>Seconds that running requests have after the first signal to stop.</summary>
    public double GracefulShutdownSeconds { get; init; } = Math.Max(0, Given.Get(ServerRows.GracefulShutdownSeconds));

    /// <summary>Origins that browsers may call from; <c>*</c> allows all; none when empty.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = Given.Get(ServerRows.AllowedOrigins);

    /// <summary>Names that the Host header may have besides loopback ones; <c>*</c> is all. Empty: loopback names alone on a loopback address, else all.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = Given.Get(ServerRows.AllowedHosts);

    /// <summary>Connections at once; null for as many as the limit of handles allows.</summary>
    public int? MaxConnections { get; init; } = Given.Get(ServerRows.MaxConnections);

    /// <summary>Header whose value is the tenant that a cache policy tells apart; null: the API key is.</summary>
    public string? TenantHeader { get; init; } = Given.Get(ServerRows.TenantHeader);

    /// <summary>Whether each request is a line in the log.</summary>
    public bool LogRequests { get; init; } = Given.Get(ServerRows.LogRequests);

    /// <summary>Seconds in which a request's headers must come.</summary>
    public double HeaderSeconds { get; init; } = 15;

    /// <summary>Seconds in which a request's body must come.</summary>
    public double BodySeconds { get; init; } = 120;

    /// <summary>Bytes per second that a body must bring, after a grace of five seconds.</summary>
    public double MinBodyBytesPerSecond { get; init; } = 1024;

    /// <summary>Bytes of unfinished bodies that are held at once.</summary>
    public long MaxBufferedBodyBytes { get; init; } = 256L << 20;

    /// <summary>Largest request body in bytes; a larger one is a 413.</summary>
    public long MaxBodyBytes { get; init; } = 32L << 20;

    /// <summary>Seconds without an event after which a stream gets a comment, so that proxies keep it open.</summary>
    public double KeepAliveSeconds { get; init; } = 5;

    /// <summary>Seconds a step may take before the engine counts as hung.</summary>
    public double HungStepSeconds { get; init; } = 120;
}
