namespace Ernie.Server.Api;

/// <summary>Log-probabilities of a chat choice, one entry per token of its text.</summary>
internal sealed record ChatLogprobs(IReadOnlyList<ChatTokenLogprob> Content)
{
    public IReadOnlyList<ChatTokenLogprob>? Refusal { get; }
}

/// <summary>One token. <c>bytes</c> are exact where a token holds part of a character.</summary>
internal sealed record ChatTokenLogprob(string Token, float Logprob, IReadOnlyList<int> Bytes, IReadOnlyList<ChatTopLogprob> TopLogprobs);

/// <summary>One of the most probable tokens at a position.</summary>
internal sealed record ChatTopLogprob(string Token, float Logprob, IReadOnlyList<int> Bytes);
