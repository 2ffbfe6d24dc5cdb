namespace Ernie.Generation;

/// <summary>Generates tokens for many requests at once. Thread-safe.</summary>
public interface IEngine : IAsyncDisposable
{
    /// <summary>Limits of requests.</summary>
    EngineInfo Info { get; }

    /// <summary>Generates one sequence. Tokens arrive as they are sampled; enumeration ends after an event with a finish reason.</summary>
    /// <param name="request">The prompt and what is asked of it.</param>
    /// <param name="cancellationToken">Frees the request's pages at the next step boundary.</param>
    /// <returns>
    /// One event per token. A reader that stops reading, or is slow, never holds up the engine: events wait in a buffer
    /// bounded by the request's own maximum of tokens.
    /// </returns>
    /// <exception cref="RequestRejectedException">The request cannot be taken: queue full, draining, too long, invalid.</exception>
    IAsyncEnumerable<GenerationEvent> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken = default);

    /// <summary>A consistent snapshot of counters and gauges.</summary>
    EngineStatistics GetStatistics();

    /// <summary>Admits nothing new until <see cref="Resume"/>; running requests go on.</summary>
    void Pause();

    /// <summary>Ends a pause.</summary>
    void Resume();

    /// <summary>Ends all requests, waiting and running, with <see cref="FinishReason.Aborted"/>.</summary>
    /// <returns>How many were ended.</returns>
    Task<int> AbortAllAsync();

    /// <summary>Forgets every cached prefix that is not in use.</summary>
    /// <returns>Pages freed.</returns>
    Task<int> ResetPrefixCacheAsync();

    /// <summary>Refuses new requests with <see cref="RejectionReason.Draining"/> and waits until the last one has ended.</summary>
    /// <param name="cancellationToken">Ends the wait, not the drain.</param>
    Task DrainAsync(CancellationToken cancellationToken);
}

/// <summary>Limits of requests.</summary>
public sealed record EngineInfo
{
    /// <summary>Served model's name.</summary>
    public required string ModelName { get; init; }

    /// <summary>For people.</summary>
    public required string Device { get; init; }

    /// <summary>Tokens of prompt and output together at most.</summary>
    public required int MaxModelLength { get; init; }

    /// <summary>Rows of a logits vector.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the hidden state.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Sequences that run at once.</summary>
    public required int MaxSequences { get; init; }

    /// <summary>Pages in the key/value pool.</summary>
    public required int PageCount { get; init; }

    /// <summary>Tokens in a page.</summary>
    public required int TokensPerPage { get; init; }

    /// <summary>Names of the samplers that requests may choose.</summary>
    public required IReadOnlyList<string> Samplers { get; init; }

    /// <summary>Name of the cache policy in use; null when prefix caching is off.</summary>
    public required string? CachePolicy { get; init; }
}
