using System.Text.Json.Serialization;

namespace Ernie.Server.Api;

/// <summary>Answer of <c>/v1/chat/completions</c> without streaming.</summary>
internal sealed record ChatCompletion() : GenerationAnswer<ChatChoice>("chat.completion")
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Dictionary<string, PromptLogprob>?>? PromptLogprobs { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? PromptTokenIds { get; init; }
}
