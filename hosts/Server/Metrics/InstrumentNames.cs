namespace Ernie.Server.Metrics;

/// <summary>Instruments that the server publishes, and those of the engine that the tables of names read.</summary>
internal static class InstrumentNames
{
    public const string FirstToken = "ernie.http.time_to_first_token";
    public const string NextToken = "ernie.http.inter_token_latency";
    public const string PerOutputToken = "ernie.http.time_per_output_token";
    public const string EndToEnd = "ernie.http.request_duration";
    public const string Choices = "ernie.http.choices";
    public const string MaxTokens = "ernie.http.max_tokens";
    public const string MostTokens = "ernie.http.most_generated_tokens";
    public const string Requests = "ernie.http.requests";
    public const string Durations = "ernie.http.durations";
    public const string Refusals = "ernie.requests.refused";
    public const string Queue = "ernie.request.queue_time";
    public const string Prefill = "ernie.request.prefill_time";
    public const string Decode = "ernie.request.decode_time";
    public const string Inference = "ernie.request.inference_time";
    public const string PromptTokens = "ernie.request.prompt_tokens";
    public const string GenerationTokens = "ernie.request.generation_tokens";
    public const string ComputedTokens = "ernie.request.computed_tokens";
    public const string TokenRate = "ernie.request.token_rate";
    public const string Preemptions = "ernie.request.preemptions";
    public const string Preempted = "ernie.requests.preempted";
    public const string StepTokens = "ernie.step.tokens";
}
