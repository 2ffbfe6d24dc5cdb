using System.Text.Json.Serialization;

namespace Ernie.Server.Api;

/// <summary>One event of a chat stream.</summary>
internal sealed record ChatCompletionChunk() : GenerationAnswer<ChatChunkChoice>("chat.completion.chunk")
{
    /// <summary>In the first chunk, when token ids are asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? PromptTokenIds { get; init; }
}
