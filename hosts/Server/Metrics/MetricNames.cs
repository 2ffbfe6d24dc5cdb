namespace Ernie.Server.Metrics;

/// <summary>Instruments of the meter, and the names under which dashboards and routers of other servers look for them.</summary>
internal static class MetricNames
{
    public const string FirstToken = "ernie.http.time_to_first_token";
    public const string NextToken = "ernie.http.inter_token_latency";
    public const string PerOutputToken = "ernie.http.time_per_output_token";
    public const string EndToEnd = "ernie.http.request_duration";

    // Instruments of the engine, by the names it publishes them under.
    private const string Queue = "ernie.request.queue_time";
    private const string Prefill = "ernie.request.prefill_time";
    private const string Decode = "ernie.request.decode_time";
    private const string PromptTokens = "ernie.request.prompt_tokens";
    private const string GenerationTokens = "ernie.request.generation_tokens";

    /// <summary>The names of an instrument at <c>/metrics</c>; an instrument nobody else knows has its own, with underscores.</summary>
    public static IReadOnlyList<string> Exported(string instrument, string? unit) => instrument switch
    {
        FirstToken => ["vllm:time_to_first_token_seconds", "fastdeploy:time_to_first_token_seconds"],
        NextToken => ["vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds"],
        PerOutputToken => ["vllm:request_time_per_output_token_seconds", "fastdeploy:time_per_output_token_seconds"],
        EndToEnd => ["vllm:e2e_request_latency_seconds", "fastdeploy:e2e_request_latency_seconds"],
        Queue => ["vllm:request_queue_time_seconds", "fastdeploy:request_queue_time_seconds"],
        Prefill => ["vllm:request_prefill_time_seconds", "fastdeploy:request_prefill_time_seconds"],
        Decode => ["vllm:request_decode_time_seconds", "fastdeploy:request_decode_time_seconds"],
        PromptTokens => ["vllm:request_prompt_tokens", "fastdeploy:request_prompt_tokens"],
        GenerationTokens => ["vllm:request_generation_tokens", "fastdeploy:request_generation_tokens"],
        _ => [instrument.Replace('.', '_').Replace('-', '_') + (unit == "s" ? "_seconds" : "")],
    };
}
