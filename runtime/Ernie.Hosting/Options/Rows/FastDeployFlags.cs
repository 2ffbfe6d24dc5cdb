namespace Ernie.Hosting.Options.Rows;

/// <summary>Flags of FastDeploy's launch line that have no meaning here: accepted, each with one warning that says why.</summary>
/// <remarks>Names: FastDeploy's parameter documentation and its engine arguments, releases 2.0 to 2.3.</remarks>
public static class FastDeployFlags
{
    private const string OneProcess = "the engine runs inside the server's process, so nothing listens on internal ports";
    private const string OneScheduler = "there is one scheduler, inside the process";
    private const string TextOnly = "only text models are served";
    private const string OnePool = "prefill and decode share one pool of pages, so there is nothing to divide";
    private const string OneRole = "prefill and decode run in the same process";
    private const string OneDevice = "the model runs on one device";
    private const string Mixed = "chunks of any number of prompts are mixed in a step, within max-num-batched-tokens";

    /// <summary>The flags.</summary>
    public static IReadOnlyList<OptionDefinition> WithoutEffect { get; } =
    [
        WholeNumber("metrics-port", "/metrics is on the server's own port"),
        Text("engine-worker-queue-port", OneProcess),
        Text("cache-queue-port", OneProcess),
        Text("controller-port", OneProcess),
        Text("pd-comm-port", OneProcess),
        Text("rdma-comm-ports", OneProcess),
        WholeNumber("local-data-parallel-id", OneProcess),
        WholeNumber("workers", "one process serves all connections"),
        WholeNumber("use-warmup", "every start warms up"),
        Json("mm-processor-kwargs", TextOnly),
        Json("limit-mm-per-prompt", TextOnly),
        Boolean("enable-mm", TextOnly),
        WholeNumber("max-encoder-cache", TextOnly),
        Number("max-processor-cache", TextOnly),
        Number("kv-cache-ratio", OnePool),
        WholeNumber("static-decode-blocks", OnePool),
        WholeNumber("prealloc-dec-block-slot-num-threshold", OnePool),
        Number("swap-space", "evicted pages are recomputed, not kept in host memory"),
        Boolean("enable-output-caching", "generated pages are always cached with --enable-prefix-caching"),
        WholeNumber("max-num-partial-prefills", Mixed),
        WholeNumber("max-long-partial-prefills", Mixed),
        WholeNumber("long-prefill-token-threshold", Mixed),
        Boolean("enable-logprob", "log-probabilities are always available"),
        Text("logits-processors", "logit processors are not loaded by name; a sampler plugin is"),
        Text("guided-decoding-backend", "guided decoding is not available in this version"),
        Boolean("guided-decoding-disable-any-whitespace", "guided decoding is not available in this version"),
        Text("reasoning-parser", "the models served write no separate reasoning"),
        Text("tool-call-parser", "tool calls are not parsed in this version"),
        Text("tool-parser-plugin", "tool calls are not parsed in this version"),
        Json("speculative-config", "speculative decoding is not available in this version"),
        Boolean("enable-early-stop", "requests end by their own limits"),
        Json("early-stop-config", "requests end by their own limits"),
        Boolean("lm-head-fp32", "logits are always accumulated in 32 bits"),
        Boolean("enable-expert-parallel", OneDevice),
        Boolean("disable-custom-all-reduce", OneDevice),
        Boolean("use-internode-ll-two-stage", OneDevice),
        Boolean("disable-sequence-parallel-moe", OneDevice),
        Boolean("enable-sequence-parallel-moe", OneDevice),
        Boolean("enable-custom-all-reduce", OneDevice),
        Text("ips", OneDevice),
        Text("splitwise-role", OneRole),
        Text("innode-prefill-ports", OneRole),
        Text("cache-transfer-protocol", OneRole),
        Text("router", OneRole),
        Text("dynamic-load-weight", "weights are loaded once, at the start"),
        Text("load-strategy", "weights are loaded once, at the start"),
        Json("plas-attention-config", "attention is exact"),
        Json("moba-attention-config", "attention is exact"),
        Text("model-impl", "there is one implementation of each model"),
        Text("runner", "text is generated; embeddings are not served in this version"),
        Text("convert", "text is generated; embeddings are not served in this version"),
        Json("override-pooler-config", "embeddings are not served in this version"),
        Boolean("trust-remote-code", "no code of a checkpoint is ever run"),
        Boolean("disable-log-requests", "requests are not logged, unless --enable-log-requests is given"),
        Text("scheduler-name", OneScheduler),
        Text("scheduler-max-size", "the queue is bounded by max-queued-requests"),
        Text("scheduler-ttl", OneScheduler),
        Text("scheduler-host", OneScheduler),
        Text("scheduler-port", OneScheduler),
        Text("scheduler-db", OneScheduler),
        Text("scheduler-password", OneScheduler),
        Text("scheduler-topic", OneScheduler),
        Text("scheduler-min-load-score", OneScheduler),
        Text("scheduler-load-shards-num", OneScheduler),
        Text("scheduler-sync-period", OneScheduler),
        Text("scheduler-expire-period", OneScheduler),
        Text("scheduler-release-load-expire-period", OneScheduler),
        Text("scheduler-reader-parallel", OneScheduler),
        Text("scheduler-writer-parallel", OneScheduler),
        Text("scheduler-reader-batch-size", OneScheduler),
        Text("scheduler-writer-batch-size", OneScheduler),
    ];

    private static OptionDefinition Text(string name, string reason) => Create(name, OptionKind.Text, reason);

    private static OptionDefinition WholeNumber(string name, string reason) => Create(name, OptionKind.WholeNumber, reason);

    private static OptionDefinition Number(string name, string reason) => Create(name, OptionKind.Number, reason);

    private static OptionDefinition Boolean(string name, string reason) => Create(name, OptionKind.Boolean, reason);

    private static OptionDefinition Json(string name, string reason) => Create(name, OptionKind.Json, reason);

    private static OptionDefinition Create(string name, OptionKind kind, string reason) =>
        new(name, OptionGroup.Compatibility, kind, $"No effect: {reason}.") { IgnoredBecause = reason };
}
