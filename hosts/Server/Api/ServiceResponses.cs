using System.Text.Json.Serialization;

namespace Ernie.Server.Api;

/// <summary>One served model.</summary>
internal sealed record ModelCard(string Id, long Created, int MaxModelLen, string Root)
{
    public string Object { get; } = "model";

    public string OwnedBy { get; } = "ernie-compiler";
}

/// <summary>Answer of <c>/v1/models</c>.</summary>
internal sealed record ModelList(IReadOnlyList<ModelCard> Data)
{
    public string Object { get; } = "list";
}

/// <summary>Answer of <c>/tokenize</c>.</summary>
internal sealed record TokenizeResponse(int Count, int MaxModelLen, IReadOnlyList<int> Tokens)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? TokenStrs { get; init; }
}

/// <summary>Answer of <c>/detokenize</c>.</summary>
internal sealed record DetokenizeResponse(string Prompt);

/// <summary>Answer of the probes.</summary>
internal sealed record StatusResponse(string Status)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reason { get; init; }
}

/// <summary>Answer of <c>/load</c>.</summary>
internal sealed record LoadResponse(int ServerLoad, int NumRequestsRunning, int NumRequestsWaiting, double KvCacheUsagePerc);

/// <summary>Answer of <c>/version</c>.</summary>
internal sealed record VersionResponse(string Version, string Runtime);

/// <summary>Answer of control endpoints that end or free things.</summary>
internal sealed record CountResponse(int Count);

/// <summary>Answer of <c>/config-info</c>: the limits that hold, never keys.</summary>
internal sealed record ConfigInfo
{
    public required IReadOnlyList<string> ServedModelNames { get; init; }

    public required string Device { get; init; }

    public required int MaxModelLen { get; init; }

    public required int MaxNumSeqs { get; init; }

    public required int BlockSize { get; init; }

    public required int NumGpuBlocks { get; init; }

    public required int VocabSize { get; init; }

    public required string? CachePolicy { get; init; }

    public required IReadOnlyList<string> Samplers { get; init; }

    public required int MaxLogprobs { get; init; }

    public required int MaxConcurrency { get; init; }
}
