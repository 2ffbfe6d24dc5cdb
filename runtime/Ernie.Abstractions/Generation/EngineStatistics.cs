namespace Ernie.Generation;

/// <summary>Counters since the start and gauges of now.</summary>
public sealed record EngineStatistics
{
    /// <summary>Requests with a slot.</summary>
    public int Running { get; init; }

    /// <summary>Requests in the queue.</summary>
    public int Waiting { get; init; }

    /// <summary>Pages owned by running requests and by the prefix cache under a lease.</summary>
    public int PagesInUse { get; init; }

    /// <summary>Pages nobody owns.</summary>
    public int PagesFree { get; init; }

    /// <summary>Pages of the prefix cache that could be evicted.</summary>
    public int PagesEvictable { get; init; }

    /// <summary>Steps run.</summary>
    public long Steps { get; init; }

    /// <summary>Prompt tokens of admitted requests.</summary>
    public long PromptTokens { get; init; }

    /// <summary>Prompt tokens that came from the prefix cache.</summary>
    public long CachedTokens { get; init; }

    /// <summary>Tokens generated.</summary>
    public long GeneratedTokens { get; init; }

    /// <summary>Requests preempted.</summary>
    public long Preemptions { get; init; }

    /// <summary>When the last step ended; for the health check.</summary>
    public DateTimeOffset LastStep { get; init; }

    /// <summary>Whether a step has begun and not ended.</summary>
    public bool StepInFlight { get; init; }

    /// <summary>Why the engine takes nothing any more (its executor keeps failing); null while it is healthy.</summary>
    public string? Failure { get; init; }
}
