using Ernie.Generation;

namespace Ernie.Server.Generation;

/// <summary>What one engine event adds to a choice, after decoding and stop strings.</summary>
internal sealed class ChoiceDelta
{
    /// <summary>Index of the choice in the response: prompt × n + k.</summary>
    public required int Index { get; init; }

    /// <summary>Text released now; empty while characters or a possible stop are held back.</summary>
    public required string Text { get; init; }

    /// <summary>Ids generated with this event.</summary>
    public required IReadOnlyList<int> TokenIds { get; init; }

    /// <summary>Tokens that the caller knows of with this delta: those whose text is now out, or whose ids are.</summary>
    public required int SentTokens { get; init; }

    /// <summary>Log-probabilities of the tokens whose text is now released; empty unless asked for.</summary>
    public required IReadOnlyList<TokenPosition> Logprobs { get; init; }

    /// <summary>Log-probabilities of the prompt, with the first delta, when asked for.</summary>
    public IReadOnlyList<TokenLogprobs?>? PromptLogprobs { get; init; }

    /// <summary>Prompt tokens from the prefix cache; in the first delta.</summary>
    public int CachedTokens { get; init; }

    /// <summary>Why the choice ended; null while it goes on.</summary>
    public string? FinishReason { get; init; }

    /// <summary>The stop string or stop token that ended it.</summary>
    public object? StopReason { get; init; }
}

/// <summary>A token's log-probabilities and the place of its text.</summary>
/// <param name="Logprobs">The engine's.</param>
/// <param name="TextOffset">Start in the choice's generated text, in Unicode code points.</param>
internal readonly record struct TokenPosition(TokenLogprobs Logprobs, int TextOffset);
