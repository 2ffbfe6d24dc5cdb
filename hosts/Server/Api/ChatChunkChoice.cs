using System.Text.Json.Serialization;

namespace Ernie.Server.Api;

/// <summary>One choice of a chunk.</summary>
internal sealed record ChatChunkChoice : GenerationChoice<ChatLogprobs>
{
    public required ChatDelta Delta { get; init; }

    [JsonPropertyOrder(3)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public object? StopReason { get; init; }
}
