namespace Ernie.Generation;

/// <summary>Why a sequence ended.</summary>
public enum FinishReason
{
    /// <summary>It goes on.</summary>
    None,

    /// <summary>An end or stop token.</summary>
    Stop,

    /// <summary>The maximum of tokens, or the model's length.</summary>
    Length,

    /// <summary>Ended by an operator or a shutdown.</summary>
    Aborted,

    /// <summary>The runtime failed on this request; <see cref="GenerationEvent.Error"/> says how.</summary>
    Error,
}

/// <summary>What happened to a sequence: a token, its end, or both.</summary>
public sealed record GenerationEvent
{
    /// <summary>Token id, or −1 when the event carries none.</summary>
    public int Token { get; init; } = -1;

    /// <summary>Log-probability of the token and its rivals, when asked for.</summary>
    public TokenLogprobs? Logprobs { get; init; }

    /// <summary>Log-probabilities of the prompt, with the first event, when asked for; the entry of the first token is null.</summary>
    public IReadOnlyList<TokenLogprobs?>? PromptLogprobs { get; init; }

    /// <summary>[hidden] the prompt's hidden states pooled into one, when asked for.</summary>
    public IReadOnlyList<float>? Pooled { get; init; }

    /// <summary>Other than None exactly once, in the last event.</summary>
    public FinishReason FinishReason { get; init; }

    /// <summary>The stop token that ended the sequence (not an end token of the model), if one did.</summary>
    public int? StopToken { get; init; }

    /// <summary>Prompt tokens that came from the prefix cache; in the first event.</summary>
    public int CachedTokens { get; init; }

    /// <summary>What failed, when the reason is <see cref="FinishReason.Error"/>.</summary>
    public string? Error { get; init; }
}

/// <summary>Log-probabilities at one position, natural logarithm, of the model's raw distribution.</summary>
/// <param name="Token">The token that stands there.</param>
/// <param name="Logprob">Its log-probability.</param>
/// <param name="Rank">Its rank, 1 for the most probable.</param>
/// <param name="Top">The most probable tokens, best first, as many as were asked for.</param>
public sealed record TokenLogprobs(int Token, float Logprob, int Rank, IReadOnlyList<(int Token, float Logprob)> Top);
