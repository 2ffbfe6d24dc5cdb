using Ernie.Caching;
using Ernie.Engine.Drafting;
using Ernie.Sampling;
using Ernie.Text;

namespace Ernie.Engine.Settings;

/// <summary>What an engine is made with, besides its executor.</summary>
public sealed class EngineSettings
{
    /// <summary>Served model's name.</summary>
    public required string ModelName { get; init; }

    /// <summary>Samplers that requests may choose, at least the default one.</summary>
    public required IReadOnlyList<ISampler> Samplers { get; init; }

    /// <summary>Logits processors in their order; an executor that samples has been made with the same objects.</summary>
    public IReadOnlyList<ILogitsProcessor> Processors { get; init; } = LogitsProcessors.Standard;

    /// <summary>The model's tokenizer, for samplers that turn texts of a request into tokens; null when there is none.</summary>
    public ITokenizer? Tokenizer { get; init; }

    /// <summary>Name of the sampler of requests that name none.</summary>
    public required string DefaultSampler { get; init; }

    /// <summary>Decides which pages stay reusable; null switches prefix caching off.</summary>
    public ICachePolicy? CachePolicy { get; init; }

    /// <summary>Sequences that run at once; the executor's limit caps it.</summary>
    public int MaxSequences { get; init; } = int.MaxValue;

    /// <summary>Tokens in one step; the executor's limit caps it.</summary>
    public int MaxBatchedTokens { get; init; } = int.MaxValue;

    /// <summary>Sequences that may wait for a slot.</summary>
    public int MaxQueuedRequests { get; init; } = int.MaxValue;

    /// <summary>Whether prompts are split over steps. A prompt longer than a whole step is split in any case.</summary>
    public bool ChunkedPrefill { get; init; } = true;

    /// <summary>Whether a step is launched before the one before it is read, as far as the executor allows.</summary>
    public bool Overlap { get; init; } = true;

    /// <summary>Seed of requests that bring none; null draws one per request.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Most log-probabilities per token that a request may ask for; negative is no limit.</summary>
    public int MaxLogprobs { get; init; } = -1;

    /// <summary>What is told as the log-probability of a drawn token. Prompts have no processors: theirs are the model's in any case.</summary>
    public LogprobsMode LogprobsMode { get; init; }

    /// <summary>Guesses tokens ahead, which steps then verify; null for one token a step.</summary>
    internal IDraftSource? Drafts { get; init; }

    /// <summary>Receives one line per event that an operator acts on. Called on the loop's thread.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>Clock of <see cref="Generation.EngineStatistics.LastStep"/>.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
