namespace Ernie.Hosting.Options.Rows;

/// <summary>
/// Flags of FastDeploy's and vLLM's launch lines that have no meaning of their own here: accepted with one warning that says why, or
/// refused where users would get something else than was asked for. Flags that do mean something are other names of the rows that act.
/// </summary>
/// <remarks>Names: the argument parsers of FastDeploy 2.0 to 2.6 (engine arguments and API server) and of vLLM 0.6 to 0.14.</remarks>
public static class ForeignFlags
{
    private const string OneProcess = "the engine runs inside the server's process, so nothing listens on internal ports";
    private const string OneScheduler = "there is one scheduler, inside the process";
    private const string TextOnly = "only text models are served";
    private const string OnePool = "prefill and decode share one pool of pages, so there is nothing to divide";
    private const string OneRole = "prefill and decode run in the same process";
    private const string OneDevice = "the model runs on one device";
    private const string Mixed = "chunks of any number of prompts are mixed in a step, within max-num-batched-tokens";
    private const string NoTools = "tool calls are not parsed in this version";
    private const string NoDrafts = "speculative decoding is not available in this version";
    private const string NoGuides = "guided decoding is not available in this version";
    private const string NoEmbeddings = "text is generated; embeddings are not served in this version";
    private const string NoAdapters = "adapters are not served in this version; merge them into the checkpoint";
    private const string LoadedOnce = "weights are loaded once, at the start";
    private const string DevicePages = "the cache of keys and values is in the device's memory alone, and what is evicted is computed again";
    private const string Specialised = "kernels are compiled for the model and the device in any case";
    private const string NoLog = "requests are logged only with --enable-log-requests, statistics never; /metrics has the counts";
    private const string NoTls = "the server speaks HTTP alone; put a proxy that ends TLS in front of it";
    private const string OneArchitecture = "the graph is compiled from the checkpoint's config.json as it is; change it there";

    private static readonly OptionRows s_rows = new(OptionGroup.Compatibility);

    static ForeignFlags()
    {
        AddServer();
        AddModel();
        AddDevices();
        AddCache();
        AddScheduling();
        AddRefused();
    }

    /// <summary>The flags.</summary>
    public static IReadOnlyList<OptionDefinition> All => s_rows.All;

    private static void AddServer()
    {
        s_rows.Ignore("/metrics is on the server's own port", ["metrics-port"]);
        s_rows.Ignore(OneProcess, ["engine-worker-queue-port", "cache-queue-port", "controller-port", "pd-comm-port", "rdma-comm-ports", "local-data-parallel-id", "data-parallel-supervisor-port", "dp-supervisor-probe-interval-s", "dp-supervisor-probe-timeout-s", "dp-supervisor-probe-failure-threshold"]);
        s_rows.Ignore("one process serves all connections", ["workers", "api-server-count -asc"], asksNothing: ["1"]);
        s_rows.Ignore("one process serves all connections", ["disable-frontend-multiprocessing"], OptionKind.Boolean);
        s_rows.Ignore("there are no worker processes to watch; a step that hangs fails /health", ["timeout"]);
        s_rows.Ignore(NoLog, ["disable-log-requests", "disable-log-stats", "enable-log-outputs", "enable-log-deltas", "disable-uvicorn-access-log", "log-error-stack"], OptionKind.Boolean);
        s_rows.Ignore(NoLog, ["max-log-len", "uvicorn-log-level", "disable-access-log-for-endpoints", "log-config-file"]);
        s_rows.Ignore("usage always tells how many prompt tokens came from the cache", ["enable-prompt-tokens-details"], OptionKind.Boolean);
        s_rows.Ignore("the id of a request is in its answer", ["enable-request-id-headers"], OptionKind.Boolean);
        s_rows.Ignore("log-probabilities are always available", ["enable-logprob"], OptionKind.Boolean);
        s_rows.Ignore("the API has no generated documentation pages", ["disable-fastapi-docs", "enable-offline-docs"], OptionKind.Boolean);
        s_rows.Ignore("the timing of requests is in /metrics", ["enable-per-request-metrics"], OptionKind.Boolean);
        s_rows.Ignore("system_fingerprint tells model, device and version", ["fingerprint-mode", "fingerprint-value"]);
        s_rows.Ignore("the load is in /metrics", ["enable-server-load-tracking"], OptionKind.Boolean);
        s_rows.Ignore("--allowed-origins alone decides about calls from browsers", ["allowed-methods", "allowed-headers"], OptionKind.TextList);
        s_rows.Ignore("--allowed-origins alone decides about calls from browsers", ["allow-credentials"], OptionKind.Boolean);
        s_rows.Ignore("paths are relative to the address", ["root-path"]);
        s_rows.Ignore("the HTTP server has limits of its own", ["h11-max-incomplete-event-size", "h11-max-header-count"]);
        s_rows.Ignore("traces are not sent in this version", ["otlp-traces-endpoint", "collect-detailed-traces", "show-hidden-metrics-for-version"]);
        s_rows.Ignore("the endpoint is not served", ["enable-tokenizer-info-endpoint", "enable-sleep-mode"], OptionKind.Boolean);
        s_rows.Ignore(TextOnly, ["mm-processor-kwargs", "limit-mm-per-prompt", "max-encoder-cache", "max-processor-cache", "allowed-local-media-path", "media-io-kwargs", "mm-processor-cache-gb", "mm-encoder-tp-mode"]);
        s_rows.Ignore(TextOnly, ["enable-mm", "enable-mm-output", "disable-chunked-mm-input", "disable-mm-preprocessor-cache", "skip-mm-profiling", "interleave-mm-strings"], OptionKind.Boolean);
        s_rows.Ignore(NoTools, ["tool-call-parser", "tool-parser-plugin"]);
        s_rows.Ignore(NoTools, ["enable-auto-tool-choice", "exclude-tools-when-tool-choice-none"], OptionKind.Boolean);
        s_rows.Ignore("the models served write no separate reasoning", ["reasoning-parser", "reasoning-parser-plugin"]);
        s_rows.Ignore("the models served write no separate reasoning", ["enable-reasoning"], OptionKind.Boolean);
        s_rows.Ignore("the template gets messages as it was written for them", ["chat-template-content-format"], asksNothing: ["auto"]);
    }

    private static void AddModel()
    {
        s_rows.Ignore("every start warms up", ["use-warmup"], asksNothing: ["1"]);
        s_rows.Ignore("weights and activations are bf16, or what --quantization says", ["dtype"], asksNothing: ["auto", "bfloat16"]);
        s_rows.Ignore(LoadedOnce, ["load-strategy", "rsync-config", "model-loader-extra-config", "ignore-patterns", "max-parallel-loading-workers", "safetensors-load-strategy", "pt-load-map-location"]);
        s_rows.Ignore(LoadedOnce, ["dynamic-load-weight", "use-tqdm-on-load"], OptionKind.Boolean);
        s_rows.Ignore("there is one implementation of each model", ["model-impl"], asksNothing: ["auto"]);
        s_rows.Ignore(NoEmbeddings, ["runner", "convert", "task"], asksNothing: ["auto", "none", "generate", "default"]);
        s_rows.Ignore(NoEmbeddings, ["override-pooler-config", "pooler-config"]);
        s_rows.Ignore("no code of a checkpoint is ever run", ["trust-remote-code"], OptionKind.Boolean);
        s_rows.Ignore("no code of a checkpoint is ever run", ["code-revision"]);
        s_rows.Ignore("HF_TOKEN in the environment is the token", ["hf-token"]);
        s_rows.Ignore("the tokenizer is this program's own, and is always loaded", ["tokenizer-mode", "tokenizer-base-url", "tokenizer-pool-size", "tokenizer-pool-type", "tokenizer-pool-extra-config", "renderer-num-workers"], asksNothing: ["auto"]);
        s_rows.Ignore("the tokenizer is this program's own, and is always loaded", ["skip-tokenizer-init"], OptionKind.Boolean);
        s_rows.Ignore("logits are always accumulated in 32 bits", ["lm-head-fp32"], OptionKind.Boolean);
        s_rows.Ignore("attention is exact", ["plas-attention-config", "moba-attention-config"]);
        s_rows.Ignore(Specialised, ["attention-backend", "attention-config", "compilation-config -O -cc", "optimization-level", "performance-mode", "max-seq-len-to-capture", "cuda-graph-sizes", "cudagraph-capture-sizes", "max-cudagraph-capture-size", "max-capture-batch-size", "worker-cls", "worker-extension-cls", "additional-config", "kernel-config"]);
        s_rows.Ignore(Specialised, ["enable-static-graph-inference", "disable-cascade-attn", "disable-sliding-window"], OptionKind.Boolean);
        s_rows.Ignore("requests end by their own limits", ["early-stop-config"]);
        s_rows.Ignore("requests end by their own limits", ["enable-early-stop"], OptionKind.Boolean);
        s_rows.Ignore("the answer has no place for it", ["enable-entropy", "enable-keep-sampling-mask"], OptionKind.Boolean);
        s_rows.Ignore("logit processors are not loaded by name; a sampler plugin is", ["logits-processors"], OptionKind.TextList);
        s_rows.Ignore("logit processors are not loaded by name; a sampler plugin is", ["logits-processor-pattern"]);
        s_rows.Ignore("a request that brings embeddings is refused", ["enable-prompt-embeds"], OptionKind.Boolean);
        s_rows.Ignore(NoGuides, ["guided-decoding-backend", "guided-decoding-disable-any-whitespace", "structured-outputs-config"]);
        s_rows.Ignore(NoGuides, ["guided-decoding-disable-fallback", "guided-decoding-disable-additional-properties"], OptionKind.Boolean);
        s_rows.Ignore(NoDrafts, ["speculative-config -sc", "speculative-model", "num-speculative-tokens", "speculative-draft-tensor-parallel-size", "speculative-max-model-len", "ngram-prompt-lookup-max", "ngram-prompt-lookup-min", "num-lookahead-slots", "speculative-model-quantization", "speculative-disable-by-batch-size", "spec-decoding-acceptance-method", "typical-acceptance-sampler-posterior-threshold", "typical-acceptance-sampler-posterior-alpha"]);
        s_rows.Ignore(NoDrafts, ["speculative-disable-mqa-scorer", "disable-logprobs-during-spec-decoding"], OptionKind.Boolean);
    }

    private static void AddDevices()
    {
        s_rows.Ignore(OneDevice, ["ips", "eplb-config", "chunked-moe-size", "routing-replay-config", "all2all-backend", "expert-placement-strategy", "distributed-executor-backend", "data-parallel-backend", "data-parallel-rank -dpn", "data-parallel-start-rank -dpr", "data-parallel-size-local -dpl", "data-parallel-address -dpa", "data-parallel-rpc-port -dpp", "nnodes -n", "node-rank -r", "master-addr", "master-port"]);
        s_rows.Ignore(OneDevice, ["enable-expert-parallel -ep", "disable-custom-all-reduce", "enable-custom-all-reduce", "enable-flashinfer-allreduce-fusion", "use-internode-ll-two-stage", "disable-sequence-parallel-moe", "enable-sequence-parallel-moe", "enable-eplb", "enable-chunked-moe", "shutdown-comm-group-if-worker-idle", "ray-workers-use-nsight", "enable-dbo"], OptionKind.Boolean);
        s_rows.Ignore(OneRole, ["splitwise-role"], asksNothing: ["mixed"]);
        s_rows.Ignore(OneRole, ["innode-prefill-ports", "cache-transfer-protocol", "router"]);
        s_rows.Ignore("the device is where --device says, and weights stay on it", ["cpu-offload-gb"], asksNothing: ["0"]);
    }

    private static void AddCache()
    {
        s_rows.Ignore("pages of keys and values have 64 tokens", ["block-size"], asksNothing: ["64"]);
        s_rows.Ignore(OnePool, ["kv-cache-ratio", "static-decode-blocks", "prealloc-dec-block-slot-num-threshold"]);
        s_rows.Ignore(DevicePages, ["swap-space", "kv-offloading-size"], asksNothing: ["0"]);
        s_rows.Ignore(DevicePages, ["kvcache-storage-backend", "write-policy", "kv-offloading-backend", "preemption-mode"], asksNothing: ["", "recompute"]);
        s_rows.Ignore("generated pages are always cached with --enable-prefix-caching", ["enable-output-caching"], OptionKind.Boolean);
        s_rows.Ignore("pages are found by their tokens, not by a hash", ["prefix-caching-hash-algo"]);
        s_rows.Ignore("an 8-bit cache has a factor per token and head", ["calculate-kv-scales"], OptionKind.Boolean);
        s_rows.Ignore("events of the cache are not published in this version", ["kv-events-config"]);
        s_rows.Ignore("there is one kind of cache", ["disable-hybrid-kv-cache-manager", "kv-sharing-fast-prefill", "use-v2-block-manager"], OptionKind.Boolean);
    }

    private static void AddScheduling()
    {
        s_rows.Ignore(Mixed, ["max-num-partial-prefills", "max-long-partial-prefills", "long-prefill-token-threshold"]);
        s_rows.Ignore("the queue is bounded by max-queued-requests", ["scheduler-max-size"]);
        s_rows.Ignore(OneScheduler, [
            "scheduler-name", "scheduler-ttl", "scheduler-host", "scheduler-port", "scheduler-db", "scheduler-password", "scheduler-topic", "scheduler-min-load-score",
            "scheduler-load-shards-num", "scheduler-sync-period", "scheduler-expire-period", "scheduler-release-load-expire-period", "scheduler-reader-parallel",
            "scheduler-writer-parallel", "scheduler-reader-batch-size", "scheduler-writer-batch-size", "scheduler-cls", "scheduler-delay-factor", "num-scheduler-steps"], asksNothing: ["local"]);
        s_rows.Ignore(OneScheduler, ["multi-step-stream-outputs", "disable-async-output-proc"], OptionKind.Boolean);
        s_rows.Ignore("requests run in the order in which they come", ["scheduling-policy"], asksNothing: ["fcfs"]);
        s_rows.Ignore("every token is sent as it is drawn", ["stream-interval"], asksNothing: ["1"]);
    }

    private static void AddRefused()
    {
        s_rows.Refuse(NoTls, ["ssl-keyfile", "ssl-certfile", "ssl-ca-certs", "ssl-cert-reqs", "ssl-ciphers"]);
        s_rows.Refuse(NoTls, ["enable-ssl-refresh"], OptionKind.Boolean);
        s_rows.Refuse("the server listens on --host and --port; put a proxy on the socket", ["uds"]);
        s_rows.Refuse("no code of others runs in the server but plugins, see --plugin-dir", ["middleware", "tool-server", "io-processor-plugin"]);
        s_rows.Refuse(NoAdapters, ["lora-modules", "prompt-adapters"], OptionKind.TextList);
        s_rows.Refuse(NoAdapters, ["enable-lora", "enable-prompt-adapter"], OptionKind.Boolean);
        s_rows.Ignore(NoAdapters, ["max-loras", "max-lora-rank", "max-cpu-loras", "lora-dtype", "lora-extra-vocab-size", "long-lora-scaling-factors", "max-prompt-adapters", "max-prompt-adapter-token"]);
        s_rows.Ignore(NoAdapters, ["fully-sharded-loras", "enable-lora-bias"], OptionKind.Boolean);
        s_rows.Refuse(NoAdapters, ["qlora-adapter-name-or-path"]);
        s_rows.Refuse(OneArchitecture, ["hf-overrides", "hf-config-path", "rope-scaling", "rope-theta"]);
        s_rows.Refuse(OneArchitecture, ["model-config-name"], asksNothing: ["config.json"]);
        s_rows.Refuse(OneArchitecture, ["config-format"], asksNothing: ["auto", "hf"]);
        s_rows.Refuse("the tokenizer is of the model's revision; name another one's directory with --tokenizer", ["tokenizer-revision"]);
        s_rows.Refuse("the model's generation_config.json gives the defaults, and a request its own values", ["generation-config"], asksNothing: ["auto"]);
        s_rows.Refuse("the model's generation_config.json gives the defaults, and a request its own values", ["override-generation-config"]);
        s_rows.Refuse("a request gives the template's arguments itself, in chat_template_kwargs", ["default-chat-template-kwargs"]);
        s_rows.Refuse("answers have the role assistant", ["response-role"], asksNothing: ["assistant"]);
        s_rows.Refuse("a stream tells its usage where the request asks with stream_options.include_usage", ["enable-force-include-usage"], OptionKind.Boolean);
        s_rows.Refuse("tokens are written as text", ["return-tokens-as-token-ids", "tokens-only"], OptionKind.Boolean);
        s_rows.Refuse(OneDevice + "; start one server per device, or use 1", ["pipeline-parallel-size -pp"], asksNothing: ["1"]);
        s_rows.Refuse(OneDevice + "; every server has a front end of its own", ["headless"], OptionKind.Boolean);
        s_rows.Refuse("every instance computes its own prompts; leave it away", ["kv-transfer-config"]);
        s_rows.Refuse("--gpu-memory-utilization or --num-gpu-blocks-override sizes the cache", ["kv-cache-memory-bytes"]);
    }
}
