using Ernie.Sampling;

namespace Ernie.Hosting.Options.Rows;

/// <summary>How tokens are drawn.</summary>
public static class SamplingRows
{
    private static readonly OptionRows s_rows = new(OptionGroup.Sampling);

    /// <summary>Sampler of requests that name none.</summary>
    public static Option<string> Sampler { get; } = s_rows.Text(
        "sampler", "Sampler (plugin) of requests that name none; FastDeploy's base, base_non_truncated and air are standard.", "standard",
        variables: ["FD_SAMPLING_CLASS"],
        synonyms: new Dictionary<string, string> { ["base"] = "standard", ["base_non_truncated"] = "standard", ["air"] = "standard" });

    /// <summary>Most log-probabilities per token that a request may ask for; -1 is no limit.</summary>
    public static Option<int> MaxLogprobs { get; } = s_rows.WholeNumber(
        "max-logprobs", "Most log-probabilities per token that a request may ask for.", 20, -1);

    /// <summary>What is told as the log-probability of a generated token.</summary>
    public static Option<LogprobsMode> LogprobsMode { get; } = s_rows.Choice(
        "logprobs-mode", "What is told as the log-probability of a generated token: of the model's distribution (raw) or of what the sampler is given (processed), normalised or the logits themselves.",
        "raw_logprobs",
        [
            ("raw_logprobs", Sampling.LogprobsMode.RawLogprobs), ("raw_logits", Sampling.LogprobsMode.RawLogits),
            ("processed_logprobs", Sampling.LogprobsMode.ProcessedLogprobs), ("processed_logits", Sampling.LogprobsMode.ProcessedLogits),
        ]);

    /// <summary>The rows, in the help's order.</summary>
    public static IReadOnlyList<OptionDefinition> All => s_rows.All;
}
