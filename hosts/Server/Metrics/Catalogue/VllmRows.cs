using System.Globalization;
using Ernie.Generation;

namespace Ernie.Server.Metrics.Catalogue;

/// <summary>vLLM's metrics.</summary>
/// <remarks>
/// Names and types: vLLM's page "Production Metrics" and its sources (v1/metrics/loggers.py, v1/spec_decode/metrics.py), with the names
/// that older dashboards use.
/// </remarks>
internal static class VllmRows
{
    private const string NoDrafts = "there is no speculative decoding";
    private const string NoTransfer = "pages are not exchanged with other servers";
    private const string TextOnly = "only text models are served";
    private const string NotEstimated = "operations and memory traffic are not estimated while serving; inspect plan tells them";
    private const string NotSampled = "lives of pages are not sampled";

    /// <summary>The rows.</summary>
    public static IReadOnlyList<MetricRow> All { get; } =
    [
        MetricRow.Gauge("vllm:num_requests_running", "Sequences with a slot.", view => view.Engine.Running),
        MetricRow.Gauge("vllm:num_requests_waiting", "Sequences in the queue.", view => view.Engine.Waiting),
        new("vllm:num_requests_waiting_by_reason", MetricKind.Gauge, "Sequences in the queue by what they wait for; here always for room.", (writer, view) =>
        {
            writer.Sample("vllm:num_requests_waiting_by_reason", view.Engine.Waiting, ("reason", "capacity"));
            writer.Sample("vllm:num_requests_waiting_by_reason", 0, ("reason", "deferred"));
        }),
        MetricRow.Absent("vllm:num_requests_swapped", MetricKind.Gauge, "preempted sequences are recomputed"),
        new("vllm:engine_sleep_state", MetricKind.Gauge, "1 for the state that the engine is in; it never sleeps.", (writer, _) =>
        {
            foreach (string state in (ReadOnlySpan<string>)["awake", "weights_offloaded", "discard_all"])
                writer.Sample("vllm:engine_sleep_state", state == "awake" ? 1 : 0, ("sleep_state", state));
        }),
        MetricRow.Gauge("vllm:kv_cache_usage_perc", "Pages in use; 1 is all.", view => view.CacheUsage),
        MetricRow.Gauge("vllm:gpu_cache_usage_perc", "The same under its older name.", view => view.CacheUsage),
        MetricRow.Absent("vllm:cpu_cache_usage_perc", MetricKind.Gauge, "pages are not moved to host memory"),
        MetricRow.Counter("vllm:prefix_cache_queries_total", "Prompt tokens looked up in the prefix cache.", view => view.Engine.PromptTokens),
        MetricRow.Counter("vllm:prefix_cache_hits_total", "Prompt tokens that came from the prefix cache.", view => view.Engine.CachedTokens),
        MetricRow.Counter("vllm:gpu_prefix_cache_queries_total", "Prompt tokens looked up, under the older name.", view => view.Engine.PromptTokens),
        MetricRow.Counter("vllm:gpu_prefix_cache_hits_total", "Prompt tokens found, under the older name.", view => view.Engine.CachedTokens),
        MetricRow.Gauge("vllm:gpu_prefix_cache_hit_rate", "Share of prompt tokens that came from the prefix cache.", view => view.TokenHitRate),
        MetricRow.Absent("vllm:cpu_prefix_cache_hit_rate", MetricKind.Gauge, "pages are not moved to host memory"),
        MetricRow.Absent("vllm:external_prefix_cache_queries_total", MetricKind.Counter, NoTransfer),
        MetricRow.Absent("vllm:external_prefix_cache_hits_total", MetricKind.Counter, NoTransfer),
        MetricRow.Absent("vllm:mm_cache_queries_total", MetricKind.Counter, TextOnly),
        MetricRow.Absent("vllm:mm_cache_hits_total", MetricKind.Counter, TextOnly),
        MetricRow.Absent("vllm:corrupted_requests_total", MetricKind.Counter, "logits are not searched for numbers that are none"),
        MetricRow.Counter("vllm:num_preemptions_total", "Sequences preempted.", view => view.Engine.Preemptions),
        MetricRow.Counter("vllm:prompt_tokens_total", "Prompt tokens of admitted sequences.", view => view.Engine.PromptTokens),
        new("vllm:prompt_tokens_by_source_total", MetricKind.Counter, "Prompt tokens by where their keys and values came from.", (writer, view) =>
        {
            const string Name = "vllm:prompt_tokens_by_source_total";
            writer.Sample(Name, view.Engine.PromptTokens - view.Engine.CachedTokens, ("source", "local_compute"));
            writer.Sample(Name, view.Engine.CachedTokens, ("source", "local_cache_hit"));
            writer.Sample(Name, 0, ("source", "external_kv_transfer"));
        }),
        MetricRow.Counter("vllm:prompt_tokens_cached_total", "Prompt tokens that came from the prefix cache.", view => view.Engine.CachedTokens),
        MetricRow.Absent("vllm:prompt_tokens_recomputed_total", MetricKind.Counter, "a token that is computed again is not counted as cached"),
        MetricRow.Counter("vllm:generation_tokens_total", "Tokens generated.", view => view.Engine.GeneratedTokens),
        new("vllm:request_success_total", MetricKind.Counter, "Finished sequences by reason.", (writer, view) =>
        {
            foreach ((string reason, long count) in view.Server.Finished)
                writer.Sample("vllm:request_success_total", count, ("finished_reason", reason));
        }),
        new("vllm:admission_rejections_total", MetricKind.Counter, "Requests refused with 429 because others run or wait.", (writer, view) =>
            writer.Sample("vllm:admission_rejections_total", view.Server.QueueRefusals, ("reason", "max_num_queued_reqs"))),
        MetricRow.Histogram(InstrumentNames.PromptTokens, "vllm:request_prompt_tokens", "Prompt tokens of a sequence."),
        MetricRow.Histogram(InstrumentNames.GenerationTokens, "vllm:request_generation_tokens", "Tokens that a sequence generated."),
        MetricRow.Histogram(InstrumentNames.StepTokens, "vllm:iteration_tokens_total", "Tokens computed in a step."),
        MetricRow.Histogram(InstrumentNames.MostTokens, "vllm:request_max_num_generation_tokens", "Tokens of a request's longest choice."),
        MetricRow.Histogram(InstrumentNames.Choices, "vllm:request_params_n", "Choices that a request asks for (n)."),
        MetricRow.Histogram(InstrumentNames.MaxTokens, "vllm:request_params_max_tokens", "Tokens that a request allows (max_tokens, or what fits)."),
        MetricRow.Histogram(InstrumentNames.Preemptions, "vllm:request_num_preemptions", "How often a sequence was preempted."),
        MetricRow.Histogram(InstrumentNames.ComputedTokens, "vllm:request_prefill_kv_computed_tokens", "Prompt tokens of a sequence that were computed."),
        MetricRow.Histogram(InstrumentNames.FirstToken, "vllm:time_to_first_token_seconds", "Arrival of a request to its first token."),
        MetricRow.Histogram(InstrumentNames.NextToken, "vllm:inter_token_latency_seconds", "One token to the next."),
        MetricRow.Histogram(InstrumentNames.NextToken, "vllm:time_per_output_token_seconds", "One token to the next, under its older name."),
        MetricRow.Histogram(InstrumentNames.PerOutputToken, "vllm:request_time_per_output_token_seconds", "Mean time per token after the first, per sequence."),
        MetricRow.Histogram(InstrumentNames.EndToEnd, "vllm:e2e_request_latency_seconds", "Arrival of a request to its end."),
        MetricRow.Histogram(InstrumentNames.Queue, "vllm:request_queue_time_seconds", "Submission to first admission."),
        MetricRow.Histogram(InstrumentNames.Inference, "vllm:request_inference_time_seconds", "First admission to last token."),
        MetricRow.Histogram(InstrumentNames.Prefill, "vllm:request_prefill_time_seconds", "First admission to first token."),
        MetricRow.Histogram(InstrumentNames.Decode, "vllm:request_decode_time_seconds", "First token to last token."),
        MetricRow.Absent("vllm:kv_block_lifetime_seconds", MetricKind.Histogram, NotSampled),
        MetricRow.Absent("vllm:kv_block_idle_before_evict_seconds", MetricKind.Histogram, NotSampled),
        MetricRow.Absent("vllm:kv_block_reuse_gap_seconds", MetricKind.Histogram, NotSampled),
        MetricRow.Absent("vllm:spec_decode_num_drafts_total", MetricKind.Counter, NoDrafts),
        MetricRow.Absent("vllm:spec_decode_num_draft_tokens_total", MetricKind.Counter, NoDrafts),
        MetricRow.Absent("vllm:spec_decode_num_accepted_tokens_total", MetricKind.Counter, NoDrafts),
        MetricRow.Absent("vllm:spec_decode_num_accepted_tokens_per_pos_total", MetricKind.Counter, NoDrafts),
        MetricRow.Absent("vllm:spec_decode_num_emitted_tokens_total", MetricKind.Counter, NoDrafts),
        MetricRow.Absent("vllm:spec_decode_draft_acceptance_rate", MetricKind.Gauge, NoDrafts),
        MetricRow.Absent("vllm:spec_decode_efficiency", MetricKind.Gauge, NoDrafts),
        MetricRow.Absent("vllm:nixl_xfer_time_seconds", MetricKind.Histogram, NoTransfer),
        MetricRow.Absent("vllm:nixl_post_time_seconds", MetricKind.Histogram, NoTransfer),
        MetricRow.Absent("vllm:nixl_bytes_transferred", MetricKind.Histogram, NoTransfer),
        MetricRow.Absent("vllm:nixl_num_descriptors", MetricKind.Histogram, NoTransfer),
        MetricRow.Absent("vllm:nixl_num_failed_transfers_total", MetricKind.Counter, NoTransfer),
        MetricRow.Absent("vllm:nixl_num_failed_notifications_total", MetricKind.Counter, NoTransfer),
        MetricRow.Absent("vllm:nixl_num_kv_expired_reqs_total", MetricKind.Counter, NoTransfer),
        MetricRow.Absent("vllm:estimated_flops_per_gpu_total", MetricKind.Counter, NotEstimated),
        MetricRow.Absent("vllm:estimated_read_bytes_per_gpu_total", MetricKind.Counter, NotEstimated),
        MetricRow.Absent("vllm:estimated_write_bytes_per_gpu_total", MetricKind.Counter, NotEstimated),
        new("vllm:lora_requests_info", MetricKind.Gauge, "Always 0: there are no adapters.", (writer, _) =>
            writer.Sample("vllm:lora_requests_info", 0, ("max_lora", "0"), ("running_lora_adapters", ""), ("waiting_lora_adapters", ""))) { IsAbsent = true },
        CacheConfig("vllm:cache_config_info"),
    ];

    /// <summary>The geometry of the cache as labels.</summary>
    public static MetricRow CacheConfig(string name) => new(name, MetricKind.Gauge, "Geometry of the key/value cache, as labels.", (writer, view) =>
    {
        EngineInfo info = view.Info;
        writer.Sample(
            name,
            1,
            ("block_size", info.TokensPerPage.ToString(CultureInfo.InvariantCulture)),
            ("num_gpu_blocks", info.PageCount.ToString(CultureInfo.InvariantCulture)),
            ("enable_prefix_caching", info.CachePolicy is null ? "False" : "True"));
    });
}
