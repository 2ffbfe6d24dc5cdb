using Ernie.Sampling;

namespace Ernie.Generation;

/// <summary>One sequence to generate.</summary>
public sealed record GenerationRequest
{
    /// <summary>Name in logs and metrics; made up when null.</summary>
    public string? RequestId { get; init; }

    /// <summary>Prompt ids; at least one.</summary>
    public required IReadOnlyList<int> PromptTokens { get; init; }

    /// <summary>Tokens to generate at most; 0 only evaluates the prompt. Cut to what fits the model's length.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>How to draw.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Index of the choice within its request: the stream of its random numbers.</summary>
    public int ChoiceIndex { get; init; }

    /// <summary>End tokens of the model; generation stops there unless <see cref="IgnoreEndTokens"/>.</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];

    /// <summary>Further tokens at which generation stops.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>Goes on past end tokens.</summary>
    public bool IgnoreEndTokens { get; init; }

    /// <summary>Log-probabilities of this many most probable tokens with each generated token; null for none, 0 for the chosen one's alone.</summary>
    public int? Logprobs { get; init; }

    /// <summary>Tokens whose log-probabilities take the place of the most probable ones'; only with <see cref="Logprobs"/>.</summary>
    public IReadOnlyList<int>? LogprobTokens { get; init; }

    /// <summary>Log-probabilities are of the distribution after the temperature, unless the request is greedy.</summary>
    public bool TemperatureScaledLogprobs { get; init; }

    /// <summary>Log-probabilities are of the tokens that top-p keeps, among themselves; −∞ for others.</summary>
    public bool TopPNormalizedLogprobs { get; init; }

    /// <summary>The same for the prompt's tokens, always of the raw distribution.</summary>
    public int? PromptLogprobs { get; init; }

    /// <summary>Says which tokens may come at each position, for this request alone; null where any may.</summary>
    public ITokenMask? TokenMask { get; init; }

    /// <summary>Asks for the prompt's hidden states, pooled into one, instead of tokens (embeddings).</summary>
    public PromptPooling Pooling { get; init; }

    /// <summary>Separates prefix caches: equal prompts under different salts share nothing.</summary>
    public string? CacheSalt { get; init; }

    /// <summary>
    /// An object that all sequences of one caller's request carry, compared by reference: while others wait, those that carry the same one get
    /// at most half of the slots. Null for a sequence by itself.
    /// </summary>
    public object? Group { get; init; }

    /// <summary>Larger goes first.</summary>
    public int Priority { get; init; }

    /// <summary>Number of the tenant; 0 when there are none.</summary>
    public int Tenant { get; init; }
}
