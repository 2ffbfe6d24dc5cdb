namespace Ernie.Sampling;

/// <summary>What a request asks of sampling. Immutable; validated where the request enters.</summary>
public sealed record SamplingOptions
{
    /// <summary>Greedy decoding: the most probable token, the lowest id on a tie.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0 };

    /// <summary>Name of the sampler (plugin) that draws; null selects the server's default.</summary>
    public string? Sampler { get; init; }

    /// <summary>Divides the logits; below <see cref="GreedyTemperature"/> the request is greedy.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Keeps the k most probable tokens; 0 or less keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps the smallest set of most probable tokens whose mass, of what <see cref="TopK"/> left, reaches this; in [0, 1], and 0 is greedy.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Keeps tokens at least this fraction as probable as the most probable one; in [0, 1].</summary>
    public float MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens seen in prompt or output; 1 is off.</summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Subtracted once from the logit of every generated token; 0 is off.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Subtracted per occurrence from the logit of every generated token; 0 is off.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Key of the request's random numbers; null draws one.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Added to the logits by token id; −100 or less bans, +100 or more forces.</summary>
    public IReadOnlyDictionary<int, float>? LogitBias { get; init; }

    /// <summary>Token ids of which one is drawn: all others are masked; null allows all.</summary>
    public IReadOnlyList<int>? AllowedTokens { get; init; }

    /// <summary>End and stop tokens are masked until this many tokens are generated.</summary>
    public int MinTokens { get; init; }

    /// <summary>Token sequences that must not be completed.</summary>
    public IReadOnlyList<int[]>? BadWords { get; init; }

    /// <summary>Further numeric parameters by name, for samplers beyond the standard ones (for example <c>typical_p</c>).</summary>
    public IReadOnlyDictionary<string, double>? Extra { get; init; }

    /// <summary>Further texts by name, for samplers beyond the standard ones (for example <c>dry_sequence_breakers</c>).</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? ExtraTexts { get; init; }

    /// <summary>Temperatures below this are greedy.</summary>
    public const float GreedyTemperature = 1e-5f;

    /// <summary>Whether the request takes the most probable token.</summary>
    public bool IsGreedy => Temperature < GreedyTemperature || TopP <= 0;
}
