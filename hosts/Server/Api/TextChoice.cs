using System.Text.Json.Serialization;

namespace Ernie.Server.Api;

/// <summary>One choice of a completion.</summary>
internal sealed record TextChoice : GenerationChoice<TextLogprobs>
{
    public required string Text { get; init; }

    /// <summary>The stop string or stop token that ended the choice.</summary>
    [JsonPropertyOrder(3)]
    public object? StopReason { get; init; }

    [JsonPropertyOrder(5)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Dictionary<string, PromptLogprob>?>? PromptLogprobs { get; init; }

    [JsonPropertyOrder(6)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? PromptTokenIds { get; init; }
}
