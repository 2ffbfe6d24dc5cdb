namespace Ernie.Server.Metrics.Catalogue;

/// <summary>Every metric with a name of its own; docs/metrics.md lists them.</summary>
internal static class MetricTable
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<MetricRow> All { get; } = [.. VllmRows.All, .. FastDeployRows.All, .. ProcessRows.All];

    /// <summary>Instruments that are shown under names of the table alone.</summary>
    public static IReadOnlySet<string> Shown { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        InstrumentNames.FirstToken, InstrumentNames.NextToken, InstrumentNames.PerOutputToken, InstrumentNames.EndToEnd, InstrumentNames.Choices,
        InstrumentNames.MaxTokens, InstrumentNames.MostTokens, InstrumentNames.Requests, InstrumentNames.Durations, InstrumentNames.Refusals,
        InstrumentNames.Queue, InstrumentNames.Prefill, InstrumentNames.Decode, InstrumentNames.Inference, InstrumentNames.PromptTokens,
        InstrumentNames.GenerationTokens, InstrumentNames.ComputedTokens, InstrumentNames.TokenRate, InstrumentNames.Preemptions, InstrumentNames.Preempted,
        InstrumentNames.StepTokens,
    };

    /// <summary>The name of an instrument that nobody else knows: its own with underscores, its unit and, for a counter, <c>_total</c>.</summary>
    public static string OwnName(string instrument, string? unit, MetricKind kind)
    {
        string name = instrument.Replace('.', '_').Replace('-', '_') + (unit == "s" ? "_seconds" : "");
        return kind == MetricKind.Counter && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }
}
