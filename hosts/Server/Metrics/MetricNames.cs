namespace Ernie.Server.Metrics;

/// <summary>Instruments of the meter, and the names under which dashboards and routers of other servers look for them.</summary>
internal static class MetricNames
{
    public const string FirstToken = "ernie.request.time_to_first_token";
    public const string NextToken = "ernie.request.inter_token_latency";
    public const string PerOutputToken = "ernie.request.time_per_output_token";
    public const string EndToEnd = "ernie.request.duration";
    public const string Decode = "ernie.request.decode_time";
    public const string RequestPromptTokens = "ernie.request.prompt_tokens";
    public const string RequestGenerationTokens = "ernie.request.generation_tokens";

    /// <summary>Instruments of the engine, by the names it publishes them under.</summary>
    public const string Queue = "ernie.request.queue_time";
    public const string Prefill = "ernie.request.prefill_time";

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
        RequestPromptTokens => ["vllm:request_prompt_tokens", "fastdeploy:request_prompt_tokens"],
        RequestGenerationTokens => ["vllm:request_generation_tokens", "fastdeploy:request_generation_tokens"],
        _ => [instrument.Replace('.', '_').Replace('-', '_') + (unit == "s" ? "_seconds" : "")],
    };
}
