using System.Text.Json.Serialization;

namespace Ernie.Server.Api;

/// <summary>What a whole answer and each event of a stream have in common, at both endpoints.</summary>
/// <typeparam name="TChoice">The endpoint's choices.</typeparam>
/// <param name="Object">OpenAI's name of the shape.</param>
internal abstract record GenerationAnswer<TChoice>([property: JsonPropertyOrder(-5)] string Object)
{
    [JsonPropertyOrder(-6)]
    public required string Id { get; init; }

    [JsonPropertyOrder(-4)]
    public required long Created { get; init; }

    [JsonPropertyOrder(-3)]
    public required string Model { get; init; }

    [JsonPropertyOrder(-2)]
    public required string SystemFingerprint { get; init; }

    [JsonPropertyOrder(-1)]
    public required IReadOnlyList<TChoice> Choices { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Usage? Usage { get; init; }
}
