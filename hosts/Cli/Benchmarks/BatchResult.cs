using System.Text.Json.Serialization;

namespace Ernie.Cli.Benchmarks;

/// <summary>What a measurement was of; printed before its figures.</summary>
internal abstract record BatchResult
{
    [JsonPropertyOrder(-1)]
    public string Model { get; init; } = "";

    [JsonPropertyOrder(-1)]
    public string Device { get; init; } = "";

    [JsonPropertyOrder(-1)]
    public string Quantization { get; init; } = "";

    [JsonPropertyOrder(-1)]
    public int InputLen { get; init; }

    [JsonPropertyOrder(-1)]
    public int OutputLen { get; init; }

    [JsonPropertyOrder(-1)]
    public int BatchSize { get; init; }
}
