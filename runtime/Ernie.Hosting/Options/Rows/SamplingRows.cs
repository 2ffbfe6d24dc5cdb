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

    /// <summary>The rows, in the help's order.</summary>
    public static IReadOnlyList<OptionDefinition> All => s_rows.All;
}
