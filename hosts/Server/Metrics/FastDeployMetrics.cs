using Ernie.Generation;

namespace Ernie.Server.Metrics;

/// <summary>Gauges and counters under FastDeploy's names.</summary>
internal static class FastDeployMetrics
{
    /// <summary>Writes them.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="statistics">The engine's.</param>
    /// <param name="info">The engine's.</param>
    /// <param name="inside">HTTP requests inside.</param>
    /// <param name="finished">Sequences finished.</param>
    public static void Write(PrometheusWriter writer, EngineStatistics statistics, EngineInfo info, int inside, long finished)
    {
        double hitRate = statistics.PromptTokens == 0 ? 0 : (double)statistics.CachedTokens / statistics.PromptTokens;
        writer.Single("fastdeploy:num_requests_running", "Sequences with a slot.", "gauge", statistics.Running);
        writer.Single("fastdeploy:num_requests_waiting", "Sequences in the queue.", "gauge", statistics.Waiting);
        writer.Single("fastdeploy:requests_number", "Generation requests inside the server.", "gauge", inside);
        writer.Single("fastdeploy:request_success_total", "Sequences finished.", "counter", finished);
        writer.Single("fastdeploy:prompt_tokens_total", "Prompt tokens of admitted sequences.", "counter", statistics.PromptTokens);
        writer.Single("fastdeploy:generation_tokens_total", "Tokens generated.", "counter", statistics.GeneratedTokens);
        writer.Single("fastdeploy:gpu_cache_usage_perc", "Pages in use; 1 is all.", "gauge", VllmMetrics.Usage(statistics, info));
        writer.Single("fastdeploy:hit_token_rate", "Share of prompt tokens that came from the prefix cache.", "gauge", hitRate);
        writer.Single("fastdeploy:gpu_hit_token_rate", "The same, of the device's part of the cache.", "gauge", hitRate);
        writer.Single("fastdeploy:free_gpu_block_num", "Pages nobody owns or that could be evicted.", "gauge", statistics.PagesFree + statistics.PagesEvictable);
        writer.Single("fastdeploy:max_gpu_block_num", "Pages of the pool.", "gauge", info.PageCount);
        writer.Single("fastdeploy:batch_size", "Sequences in the batch.", "gauge", statistics.Running);
        writer.Single("fastdeploy:max_batch_size", "Sequences that run at once.", "gauge", info.MaxSequences);
    }
}
