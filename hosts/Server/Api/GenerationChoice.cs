using System.Text.Json.Serialization;

namespace Ernie.Server.Api;

/// <summary>What choices have in common; <c>logprobs</c> and <c>finish_reason</c> are required keys of OpenAI's schema, null is fine.</summary>
/// <typeparam name="TLogprobs">The endpoint's form of log-probabilities.</typeparam>
internal abstract record GenerationChoice<TLogprobs>
    where TLogprobs : class
{
    [JsonPropertyOrder(-1)]
    public required int Index { get; init; }

    [JsonPropertyOrder(1)]
    public TLogprobs? Logprobs { get; init; }

    [JsonPropertyOrder(2)]
    public string? FinishReason { get; init; }

    [JsonPropertyOrder(4)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? TokenIds { get; init; }
}
