using Ernie.Hosting.Options;

namespace Ernie.Cli.Benchmarks;

/// <summary>Options of <c>bench serve</c>.</summary>
internal static class ServeRows
{
    private static readonly OptionRows s_rows = new(OptionGroup.Command);

    /// <summary>The server.</summary>
    public static Option<string> BaseUrl { get; } = s_rows.Text("base-url", "The server.", "http://127.0.0.1:8000");

    /// <summary>API key to send.</summary>
    public static Option<string?> Bearer { get; } = s_rows.OptionalText("bearer", "API key to send.");

    /// <summary>Model to ask for.</summary>
    public static Option<string?> Model { get; } = s_rows.OptionalText("served-model-name", "Model to ask for. Absent: the server's first.");

    /// <summary>Requests.</summary>
    public static Option<int> Prompts { get; } = s_rows.WholeNumber("num-prompts", "Requests.", 100, 1);

    /// <summary>Prompt tokens per request.</summary>
    public static Option<int> InputLength { get; } = s_rows.WholeNumber("input-len", "Prompt tokens per request.", 256, 1);

    /// <summary>Tokens to generate per request.</summary>
    public static Option<int> OutputLength { get; } = s_rows.WholeNumber("output-len", "Tokens to generate per request.", 64, 1);

    /// <summary>Longest prompt; null where all are alike.</summary>
    public static Option<int?> InputLengthMost { get; } = s_rows.OptionalWholeNumber(
        "input-len-max", "Draws each request's prompt length evenly from --input-len to this. Absent: all are alike.", 1);

    /// <summary>Longest output; null where all are alike.</summary>
    public static Option<int?> OutputLengthMost { get; } = s_rows.OptionalWholeNumber(
        "output-len-max", "Draws each request's output length evenly from --output-len to this. Absent: all are alike.", 1);

    /// <summary>Log-probabilities per token; null for none.</summary>
    public static Option<int?> Logprobs { get; } = s_rows.OptionalWholeNumber(
        "logprobs", "Log-probabilities per token that requests ask for. Absent: none do.", 0);

    /// <summary>Part of the requests that ask for them.</summary>
    public static Option<double> LogprobsShare { get; } = s_rows.Number(
        "logprobs-share", "Part of the requests that ask for --logprobs, in [0, 1].", 1, new OptionRange(0, 1));

    /// <summary>File of prompts.</summary>
    public static Option<string?> PromptFile { get; } = s_rows.OptionalText("prompts", "JSON file with an array of prompts to use instead of random ids.");

    /// <summary>Requests per second; 0 sends all at once.</summary>
    public static Option<double> RequestRate { get; } = s_rows.Number("request-rate", "Requests per second; 0 sends all at once.", 0, new OptionRange(0));

    /// <summary>Shape of the arrivals.</summary>
    public static Option<double> Burstiness { get; } = s_rows.Number(
        "burstiness", "Shape of the gamma distribution of arrivals: 1 is a Poisson process, less is burstier.", 1, new OptionRange(0, ExcludesLeast: true));

    /// <summary>Requests in flight at most; 0 is no limit.</summary>
    public static Option<int> MaxConcurrency { get; } = s_rows.WholeNumber("max-concurrency", "Requests in flight at most; 0 is no limit.", 0, 0);

    /// <summary>Requests before the measured ones.</summary>
    public static Option<int> Warmup { get; } = s_rows.WholeNumber("warmup", "Requests before the measured ones.", 1, 0);

    /// <summary>Seed of prompts and arrivals.</summary>
    public static Option<int> Seed { get; } = s_rows.WholeNumber("random-seed", "Seed of prompts and arrivals.", 0, 0);

    /// <summary>Milliseconds to the first token of a good request; null for any.</summary>
    public static Option<double?> GoodFirstTokenMs { get; } = s_rows.OptionalNumber(
        "goodput-ttft", "Milliseconds to the first token within which a request counts as good.");

    /// <summary>Milliseconds per later token of a good request; null for any.</summary>
    public static Option<double?> GoodPerTokenMs { get; } = s_rows.OptionalNumber(
        "goodput-tpot", "Milliseconds per later token within which a request counts as good.");

    /// <summary>File for the results.</summary>
    public static Option<string?> Output { get; } = s_rows.OptionalText("output", "File for the results as JSON.");

    /// <summary>The rows, in the help's order.</summary>
    public static IReadOnlyList<OptionDefinition> All => s_rows.All;
}
