namespace Ernie.Server.Metrics.Catalogue;

/// <summary>FastDeploy's metrics.</summary>
/// <remarks>
/// Names and types: FastDeploy's page "Monitoring Metrics" and its metrics.py. Its counters whose names do not end in
/// <c>_total</c> get that ending from the Prometheus client, there as here.
/// </remarks>
internal static class FastDeployRows
{
    private const string NoHostCache = "pages are not moved to host memory";
    private const string NoStorage = "pages are not kept in a storage";
    private const string NoDrafts = "there is no speculative decoding";
    private const string OneProcess = "the engine runs inside the server's process";

    /// <summary>The rows.</summary>
    public static IReadOnlyList<MetricRow> All { get; } =
    [
        MetricRow.Counter("fastdeploy:requests_number_total", "Generation requests received.", view => view.Server.Received),
        MetricRow.Counter("fastdeploy:request_success_total", "Sequences that ended by themselves (stop or length).", view => view.Server.Succeeded),
        MetricRow.Counter("fastdeploy:request_preempted_total", "Sequences preempted.", view => view.Engine.Preemptions),
        MetricRow.Gauge("fastdeploy:num_requests_running", "Sequences with a slot.", view => view.Engine.Running),
        MetricRow.Gauge("fastdeploy:num_requests_waiting", "Sequences in the queue.", view => view.Engine.Waiting),
        MetricRow.Gauge("fastdeploy:num_requests_enqueued", "Sequences in the queue: there is one queue.", view => view.Engine.Waiting),
        MetricRow.Of(InstrumentNames.Preempted, "fastdeploy:num_requests_preempted", MetricKind.Gauge, "Preempted sequences that wait for a slot."),
        MetricRow.Histogram(InstrumentNames.FirstToken, "fastdeploy:time_to_first_token_seconds", "Arrival of a request to its first token."),
        MetricRow.Histogram(InstrumentNames.NextToken, "fastdeploy:time_per_output_token_seconds", "One token to the next."),
        MetricRow.Histogram(InstrumentNames.EndToEnd, "fastdeploy:e2e_request_latency_seconds", "Arrival of a request to its end."),
        MetricRow.Histogram(InstrumentNames.Inference, "fastdeploy:request_inference_time_seconds", "First admission to last token."),
        MetricRow.Histogram(InstrumentNames.Queue, "fastdeploy:request_queue_time_seconds", "Submission to first admission."),
        MetricRow.Histogram(InstrumentNames.Prefill, "fastdeploy:request_prefill_time_seconds", "First admission to first token."),
        MetricRow.Histogram(InstrumentNames.Decode, "fastdeploy:request_decode_time_seconds", "First token to last token."),
        MetricRow.Gauge("fastdeploy:first_token_latency", "The latest time to a first token, in seconds.", view => view.Last(InstrumentNames.FirstToken)),
        MetricRow.Gauge("fastdeploy:infer_latency", "The latest time between two tokens, in seconds.", view => view.Last(InstrumentNames.NextToken)),
        MetricRow.Counter("fastdeploy:prompt_tokens_total", "Prompt tokens of admitted sequences.", view => view.Engine.PromptTokens),
        MetricRow.Counter("fastdeploy:generation_tokens_total", "Tokens generated.", view => view.Engine.GeneratedTokens),
        MetricRow.Histogram(InstrumentNames.PromptTokens, "fastdeploy:request_prompt_tokens", "Prompt tokens of a sequence."),
        MetricRow.Histogram(InstrumentNames.TokenRate, "fastdeploy:request_token_ratio", "Tokens of a sequence per second since its admission."),
        MetricRow.Histogram(InstrumentNames.GenerationTokens, "fastdeploy:request_generation_tokens", "Tokens that a sequence generated."),
        MetricRow.Histogram(InstrumentNames.MaxTokens, "fastdeploy:request_params_max_tokens", "Tokens that a request allows (max_tokens, or what fits)."),
        MetricRow.Gauge("fastdeploy:available_batch_size", "Sequences for which there are slots.", view => view.Info.MaxSequences - view.Engine.Running),
        MetricRow.Gauge("fastdeploy:batch_size", "Sequences in the batch.", view => view.Engine.Running),
        MetricRow.Gauge("fastdeploy:max_batch_size", "Sequences that run at once.", view => view.Info.MaxSequences),
        VllmRows.CacheConfig("fastdeploy:cache_config_info"),
        MetricRow.Gauge("fastdeploy:hit_req_rate", "Share of sequences of which a part came from the prefix cache.", view => MetricView.Share(view.Server.BegunWithHit, view.Server.Begun)),
        MetricRow.Gauge("fastdeploy:hit_token_rate", "Share of prompt tokens that came from the prefix cache.", view => view.TokenHitRate),
        MetricRow.Gauge("fastdeploy:gpu_hit_token_rate", "The same, of the device's part of the cache, which is all of it.", view => view.TokenHitRate),
        MetricRow.Absent("fastdeploy:cpu_hit_token_rate", MetricKind.Gauge, NoHostCache),
        MetricRow.Counter("fastdeploy:prefix_cache_token_num_total", "Prompt tokens that came from the prefix cache.", view => view.Engine.CachedTokens),
        MetricRow.Counter("fastdeploy:prefix_gpu_cache_token_num_total", "The same, of the device's part of the cache.", view => view.Engine.CachedTokens),
        MetricRow.Absent("fastdeploy:prefix_cpu_cache_token_num_total", MetricKind.Counter, NoHostCache),
        MetricRow.Absent("fastdeploy:prefix_ssd_cache_token_num_total", MetricKind.Counter, NoStorage),
        MetricRow.Absent("fastdeploy:prefix_storage_cache_token_num_total", MetricKind.Counter, NoStorage),
        MetricRow.Gauge("fastdeploy:available_gpu_block_num", "Pages that are free or could be evicted.", view => view.AvailablePages),
        MetricRow.Gauge("fastdeploy:free_gpu_block_num", "Pages that are free.", view => view.Engine.PagesFree),
        MetricRow.Gauge("fastdeploy:max_gpu_block_num", "Pages of the pool.", view => view.Info.PageCount),
        MetricRow.Absent("fastdeploy:max_cpu_block_num", MetricKind.Gauge, NoHostCache),
        MetricRow.Gauge("fastdeploy:available_gpu_resource", "Share of the pages that are free or could be evicted.", view => MetricView.Share(view.AvailablePages, view.Info.PageCount)),
        MetricRow.Gauge("fastdeploy:gpu_cache_usage_perc", "Pages in use; 1 is all.", view => view.CacheUsage),
        MetricRow.Absent("fastdeploy:send_cache_failed_num_total", MetricKind.Counter, "pages are not sent to other servers"),
        MetricRow.Absent("fastdeploy:spec_decode_draft_acceptance_rate", MetricKind.Gauge, NoDrafts),
        MetricRow.Absent("fastdeploy:spec_decode_efficiency", MetricKind.Gauge, NoDrafts),
        MetricRow.Absent("fastdeploy:spec_decode_num_accepted_tokens_total", MetricKind.Counter, NoDrafts),
        MetricRow.Absent("fastdeploy:spec_decode_num_draft_tokens_total", MetricKind.Counter, NoDrafts),
        MetricRow.Absent("fastdeploy:spec_decode_num_emitted_tokens_total", MetricKind.Counter, NoDrafts),
        MetricRow.Absent("fastdeploy:zmq:msg_send_total", MetricKind.Counter, OneProcess),
        MetricRow.Absent("fastdeploy:zmq:msg_send_failed_total", MetricKind.Counter, OneProcess),
        MetricRow.Absent("fastdeploy:zmq:msg_bytes_send_total", MetricKind.Counter, OneProcess),
        MetricRow.Absent("fastdeploy:zmq:msg_recv_total", MetricKind.Counter, OneProcess),
        MetricRow.Absent("fastdeploy:zmq:msg_bytes_recv_total", MetricKind.Counter, OneProcess),
        MetricRow.Absent("fastdeploy:zmq:latency", MetricKind.Histogram, OneProcess),
    ];
}
