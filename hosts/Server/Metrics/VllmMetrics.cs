using System.Globalization;
using Ernie.Generation;

namespace Ernie.Server.Metrics;

/// <summary>Gauges and counters of the engine under vLLM's names.</summary>
internal static class VllmMetrics
{
    /// <summary>Writes them.</summary>
    public static void Write(PrometheusWriter writer, EngineStatistics statistics, EngineInfo info)
    {
        writer.Single("vllm:num_requests_running", "Sequences with a slot.", "gauge", statistics.Running);
        writer.Single("vllm:num_requests_waiting", "Sequences in the queue.", "gauge", statistics.Waiting);
        writer.Single("vllm:kv_cache_usage_perc", "Pages in use; 1 is all.", "gauge", Usage(statistics, info));
        writer.Single("vllm:num_preemptions_total", "Sequences preempted.", "counter", statistics.Preemptions);
        writer.Single("vllm:prompt_tokens_total", "Prompt tokens of admitted sequences.", "counter", statistics.PromptTokens);
        writer.Single("vllm:generation_tokens_total", "Tokens generated.", "counter", statistics.GeneratedTokens);
        // The queries of the prefix cache, in tokens, are the prompt tokens that could have hit.
        writer.Single("vllm:prefix_cache_queries_total", "Prompt tokens looked up in the prefix cache.", "counter", statistics.PromptTokens);
        writer.Single("vllm:prefix_cache_hits_total", "Prompt tokens that came from the prefix cache.", "counter", statistics.CachedTokens);
        writer.Header("vllm:cache_config_info", "Geometry of the key/value cache.", "gauge");
        writer.Sample(
            "vllm:cache_config_info",
            1,
            ("block_size", info.TokensPerPage.ToString(CultureInfo.InvariantCulture)),
            ("num_gpu_blocks", info.PageCount.ToString(CultureInfo.InvariantCulture)),
            ("enable_prefix_caching", info.CachePolicy is null ? "False" : "True"));
    }

    /// <summary>Share of the pages that running sequences own.</summary>
    public static double Usage(EngineStatistics statistics, EngineInfo info) =>
        info.PageCount == 0 ? 0 : (double)statistics.PagesInUse / info.PageCount;
}
