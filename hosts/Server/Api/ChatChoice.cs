using System.Text.Json.Serialization;

namespace Ernie.Server.Api;

/// <summary>One choice of a whole chat answer.</summary>
internal sealed record ChatChoice : GenerationChoice<ChatLogprobs>
{
    public required ChatAnswer Message { get; init; }

    /// <summary>The stop string or stop token that ended the choice.</summary>
    [JsonPropertyOrder(3)]
    public object? StopReason { get; init; }
}
