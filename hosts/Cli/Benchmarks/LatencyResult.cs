namespace Ernie.Cli.Benchmarks;

/// <summary>Outcome of <c>bench latency</c>: medians over the measured rounds.</summary>
internal sealed record LatencyResult : BatchResult
{
    public required int Iterations { get; init; }

    /// <summary>Prompt tokens of the batch ÷ time to the last sequence's first token.</summary>
    public required double PrefillTokensPerSecond { get; init; }

    /// <summary>Tokens after the first ÷ the time from there to the end.</summary>
    public required double DecodeTokensPerSecond { get; init; }

    public required double TimeToFirstTokenMs { get; init; }

    public required double TimePerOutputTokenMs { get; init; }

    public required double LatencyMs { get; init; }
}
