namespace Ernie.Cli.Benchmarks;

/// <summary>Outcome of <c>bench throughput</c>.</summary>
internal sealed record ThroughputResult : BatchResult
{
    public required int NumPrompts { get; init; }

    public required double ElapsedSeconds { get; init; }

    public required double RequestsPerSecond { get; init; }

    /// <summary>Prompt tokens ÷ elapsed time, which prefill and decode share.</summary>
    public required double PrefillTokensPerSecond { get; init; }

    /// <summary>Generated tokens ÷ elapsed time, which prefill and decode share.</summary>
    public required double DecodeTokensPerSecond { get; init; }

    public required double TotalTokensPerSecond { get; init; }

    public required double MeanTimeToFirstTokenMs { get; init; }
}
