namespace Ernie.Server.Hosting;

/// <summary>Settings of the HTTP side; the engine's own are in its builder.</summary>
internal sealed record ServerOptions
{
    /// <summary>Address to listen on: an IP address, or a name such as <c>localhost</c>.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>TCP port; 0 takes a free one.</summary>
    public int Port { get; init; } = 8000;

    /// <summary>Names under which the model is served; the engine's own name when empty.</summary>
    public IReadOnlyList<string> ServedModelNames { get; init; } = [];

    /// <summary>Keys of which a client must show one; none means that no key is asked for.</summary>
    public IReadOnlyList<string> ApiKeys { get; init; } = [];

    /// <summary>Key of the control endpoints; null leaves them to <see cref="ApiKeys"/>.</summary>
    public string? AdminKey { get; init; }

    /// <summary>Generation requests served at once; one more is a 429.</summary>
    public int MaxConcurrency { get; init; } = 512;

    /// <summary>Seconds a sequence may wait for its first event before its request is a 429; negative for ever.</summary>
    public double MaxWaitingSeconds { get; init; } = -1;

    /// <summary>Most alternatives per token that a request may ask for.</summary>
    public int MaxLogprobs { get; init; } = 20;

    /// <summary>Choices, prompts × n, that one request may have.</summary>
    public int MaxChoicesPerRequest { get; init; } = 128;

    /// <summary>Whether requests may bring a chat template of their own.</summary>
    public bool TrustRequestChatTemplate { get; init; }

    /// <summary>What separates the prefix caches of callers.</summary>
    public CacheSaltSource CacheSaltBy { get; init; }

    /// <summary>Whether usage tells how many tokens of a prompt were cached.</summary>
    public bool ReportCachedTokens { get; init; } = true;

    /// <summary>Seconds that running requests have after the first signal to stop.</summary>
    public double GracefulShutdownSeconds { get; init; } = 30;

    /// <summary>Origins that browsers may call from; <c>*</c> allows all; none when empty.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Largest request body in bytes; a larger one is a 413.</summary>
    public long MaxBodyBytes { get; init; } = 32L << 20;

    /// <summary>Seconds without an event after which a stream gets a comment, so that proxies keep it open.</summary>
    public double KeepAliveSeconds { get; init; } = 5;

    /// <summary>Seconds a step may take before the engine counts as hung.</summary>
    public double HungStepSeconds { get; init; } = 120;
}
