using System.Text.Json.Serialization;

namespace Ernie.Server.Api;

/// <summary>Answer of <c>/v1/completions</c>, whole or one event of its stream: the two have the same shape.</summary>
internal sealed record TextCompletion
{
    public required string Id { get; init; }

    public string Object { get; } = "text_completion";

    public required long Created { get; init; }

    public required string Model { get; init; }

    public required string SystemFingerprint { get; init; }

    public required IReadOnlyList<TextChoice> Choices { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Usage? Usage { get; init; }
}

/// <summary>One choice; <c>logprobs</c> and <c>finish_reason</c> are required keys.</summary>
internal sealed record TextChoice
{
    public required int Index { get; init; }

    public required string Text { get; init; }

    public TextLogprobs? Logprobs { get; init; }

    public string? FinishReason { get; init; }

    public object? StopReason { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Dictionary<string, PromptLogprob>?>? PromptLogprobs { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? PromptTokenIds { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? TokenIds { get; init; }
}

/// <summary>Log-probabilities of a completion in OpenAI's column form.</summary>
internal sealed record TextLogprobs
{
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary>Null for the first token of an echoed prompt, which nothing predicts.</summary>
    public required IReadOnlyList<float?> TokenLogprobs { get; init; }

    public required IReadOnlyList<Dictionary<string, float>?> TopLogprobs { get; init; }

    /// <summary>Where each token starts in the choice's text, in Unicode code points.</summary>
    public required IReadOnlyList<int> TextOffset { get; init; }
}

/// <summary>One candidate at a prompt position, keyed by token id.</summary>
internal sealed record PromptLogprob(float Logprob, int Rank, string DecodedToken);
