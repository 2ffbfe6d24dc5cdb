namespace Ernie.Engine.Telemetry;

/// <summary>Names of the meter and its instruments. Times are in seconds.</summary>
public static class EngineInstruments
{
    /// <summary>The meter.</summary>
    public const string MeterName = "Ernie";

    /// <summary>Histogram: submission to first token.</summary>
    public const string TimeToFirstToken = "ernie.time_to_first_token";

    /// <summary>Histogram: between two tokens of a sequence.</summary>
    public const string InterTokenLatency = "ernie.inter_token_latency";

    /// <summary>Histogram: (last token − first token) / (tokens − 1) of a finished sequence.</summary>
    public const string TimePerOutputToken = "ernie.time_per_output_token";

    /// <summary>Histogram: submission to end.</summary>
    public const string RequestLatency = "ernie.request.latency";

    /// <summary>Histogram: submission to first admission.</summary>
    public const string QueueTime = "ernie.request.queue_time";

    /// <summary>Histogram: first admission to first token.</summary>
    public const string PrefillTime = "ernie.request.prefill_time";

    /// <summary>Histogram: first token to last token.</summary>
    public const string DecodeTime = "ernie.request.decode_time";

    /// <summary>Histogram: prompt tokens of a finished sequence.</summary>
    public const string RequestPromptTokens = "ernie.request.prompt_tokens";

    /// <summary>Histogram: tokens that a finished sequence generated.</summary>
    public const string RequestGenerationTokens = "ernie.request.generation_tokens";

    /// <summary>Histogram: first admission to last token.</summary>
    public const string InferenceTime = "ernie.request.inference_time";

    /// <summary>Histogram: prompt tokens of a finished sequence that did not come from the prefix cache.</summary>
    public const string RequestComputedTokens = "ernie.request.computed_tokens";

    /// <summary>Histogram: tokens that a finished sequence generated per second from its first admission.</summary>
    public const string RequestTokenRate = "ernie.request.token_rate";

    /// <summary>Histogram: how often a finished sequence lost its slot.</summary>
    public const string RequestPreemptions = "ernie.request.preemptions";

    /// <summary>Histogram: launch of a step to the end of its completion.</summary>
    public const string StepTime = "ernie.step.time";

    /// <summary>Histogram: the loop's own work per step, without waiting for the device.</summary>
    public const string StepHostTime = "ernie.step.host_time";

    /// <summary>Histogram: tokens computed in a step.</summary>
    public const string StepTokens = "ernie.step.tokens";

    /// <summary>Counter: prompt tokens of admitted requests.</summary>
    public const string PromptTokens = "ernie.prompt_tokens";

    /// <summary>Counter: tokens generated.</summary>
    public const string GenerationTokens = "ernie.generation_tokens";

    /// <summary>Counter, tagged with <see cref="FinishedReasonTag"/>: finished requests.</summary>
    public const string RequestsFinished = "ernie.requests.finished";

    /// <summary>Tag of <see cref="RequestsFinished"/>: stop, length, abort, error.</summary>
    public const string FinishedReasonTag = "finished_reason";

    /// <summary>Up-down counter: sequences that have lost their slot and wait for another.</summary>
    public const string RequestsPreempted = "ernie.requests.preempted";

    /// <summary>Counter: preemptions.</summary>
    public const string Preemptions = "ernie.preemptions";

    /// <summary>Counter: prompt tokens looked up in the prefix cache.</summary>
    public const string PrefixCacheQueries = "ernie.prefix_cache.queries";

    /// <summary>Counter: prompt tokens found there.</summary>
    public const string PrefixCacheHits = "ernie.prefix_cache.hits";

    /// <summary>Counter: times that the idle engine found pages, slots or leases out of their place (ERN5003).</summary>
    public const string Misplaced = "ernie.misplaced";

    /// <summary>Gauge: requests with a slot.</summary>
    public const string RequestsRunning = "ernie.requests.running";

    /// <summary>Gauge: requests in the queue.</summary>
    public const string RequestsWaiting = "ernie.requests.waiting";

    /// <summary>Gauge: part of the pages that is in use, in [0, 1].</summary>
    public const string CacheUsage = "ernie.kv_cache.usage";

    /// <summary>Gauge: pages that are free or could be evicted.</summary>
    public const string FreePages = "ernie.kv_cache.free_pages";

    /// <summary>Counter: managed bytes that the loop's thread allocated since its start.</summary>
    public const string LoopAllocatedBytes = "ernie.loop.allocated_bytes";
}
