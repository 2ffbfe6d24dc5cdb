namespace Ernie.Cli.Benchmarks;

/// <summary>Outcome of <c>bench serve</c>, with the keys of vLLM's result file.</summary>
internal sealed record ServeResult
{
    public required int NumPrompts { get; init; }

    public required double RequestRate { get; init; }

    public required double Burstiness { get; init; }

    public required int MaxConcurrency { get; init; }

    /// <summary>Seconds.</summary>
    public required double Duration { get; init; }

    public required int Completed { get; init; }

    public required int Failed { get; init; }

    public required long TotalInputTokens { get; init; }

    public required long TotalOutputTokens { get; init; }

    public required double RequestThroughput { get; init; }

    public required double RequestGoodput { get; init; }

    public required double OutputThroughput { get; init; }

    public required double TotalTokenThroughput { get; init; }

    public required double MeanTtftMs { get; init; }

    public required double MedianTtftMs { get; init; }

    public required double P99TtftMs { get; init; }

    public required double MeanTpotMs { get; init; }

    public required double MedianTpotMs { get; init; }

    public required double P99TpotMs { get; init; }

    public required double MeanItlMs { get; init; }

    public required double MedianItlMs { get; init; }

    public required double P99ItlMs { get; init; }

    public required double MeanE2elMs { get; init; }

    public required double MedianE2elMs { get; init; }

    public required double P99E2elMs { get; init; }

    /// <summary>Messages of failed requests, each once.</summary>
    public required IReadOnlyList<string> Errors { get; init; }

    /// <summary>Sums up a run.</summary>
    /// <param name="samples">All requests.</param>
    /// <param name="seconds">From the first request's sending to the last one's end.</param>
    /// <param name="load">What was sent.</param>
    public static ServeResult Create(IReadOnlyList<ServeSample> samples, double seconds, ServeLoad load)
    {
        ServeSample[] good = [.. samples.Where(sample => sample.Error is null)];
        double[] ttft = [.. good.Select(sample => sample.FirstToken * 1e3).Order()];
        double[] tpot = [.. good.Select(sample => sample.PerToken).OfType<double>().Select(value => value * 1e3).Order()];
        double[] itl = [.. good.SelectMany(sample => sample.Gaps).Select(value => value * 1e3).Order()];
        double[] e2e = [.. good.Select(sample => sample.EndToEnd * 1e3).Order()];
        long input = good.Sum(sample => (long)sample.PromptTokens);
        long output = good.Sum(sample => (long)sample.CompletionTokens);
        return new ServeResult
        {
            NumPrompts = samples.Count,
            RequestRate = load.RequestRate,
            Burstiness = load.Burstiness,
            MaxConcurrency = load.MaxConcurrency,
            Duration = seconds,
            Completed = good.Length,
            Failed = samples.Count - good.Length,
            TotalInputTokens = input,
            TotalOutputTokens = output,
            RequestThroughput = good.Length / seconds,
            RequestGoodput = good.Count(sample => IsGood(sample, load)) / seconds,
            OutputThroughput = output / seconds,
            TotalTokenThroughput = (input + output) / seconds,
            MeanTtftMs = Mean(ttft),
            MedianTtftMs = Percentile(ttft, 0.5),
            P99TtftMs = Percentile(ttft, 0.99),
            MeanTpotMs = Mean(tpot),
            MedianTpotMs = Percentile(tpot, 0.5),
            P99TpotMs = Percentile(tpot, 0.99),
            MeanItlMs = Mean(itl),
            MedianItlMs = Percentile(itl, 0.5),
            P99ItlMs = Percentile(itl, 0.99),
            MeanE2elMs = Mean(e2e),
            MedianE2elMs = Percentile(e2e, 0.5),
            P99E2elMs = Percentile(e2e, 0.99),
            Errors = [.. samples.Select(sample => sample.Error).OfType<string>().Distinct()],
        };
    }

    /// <summary>Percentile with linear interpolation; 0 of no values.</summary>
    /// <param name="sorted">Ascending.</param>
    /// <param name="fraction">In [0, 1].</param>
    public static double Percentile(IReadOnlyList<double> sorted, double fraction)
    {
        if (sorted.Count == 0)
            return 0;
        double at = fraction * (sorted.Count - 1);
        int below = (int)at;
        int above = Math.Min(below + 1, sorted.Count - 1);
        return sorted[below] + ((sorted[above] - sorted[below]) * (at - below));
    }

    private static double Mean(double[] values) => values.Length == 0 ? 0 : values.Average();

    private static bool IsGood(ServeSample sample, ServeLoad load) =>
        sample.FirstToken * 1e3 <= (load.GoodFirstTokenMs ?? double.MaxValue) && (sample.PerToken ?? 0) * 1e3 <= (load.GoodPerTokenMs ?? double.MaxValue);
}
