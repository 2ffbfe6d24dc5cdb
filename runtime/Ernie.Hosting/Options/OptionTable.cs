namespace Ernie.Hosting.Options;

/// <summary>
/// Every option that the server and the command line share. The parser, the help and the configuration file read this
/// table; <see cref="ModelOptions"/>, <see cref="EngineOptions"/> and the server's own options are bound from its values.
/// </summary>
public static class OptionTable
{
    /// <summary>Options of the front end.</summary>
    public static IReadOnlyList<OptionDefinition> Server { get; } =
    [
        new("host", OptionGroup.Server, OptionKind.Text, "Address to listen on.") { Default = "127.0.0.1" },
        new("port", OptionGroup.Server, OptionKind.WholeNumber, "TCP port to listen on; 0 takes a free one.") { Default = "8000" },
        new("api-key", OptionGroup.Server, OptionKind.TextList, "Key that requests must carry; repeatable. None: every request is taken.") { EnvironmentVariables = ["FD_API_KEY"] },
        new("admin-api-key", OptionGroup.Server, OptionKind.Text, "Key that the control endpoints (pause, resume, abort, reset) must carry. Absent: an api-key does."),
        new("max-concurrency", OptionGroup.Server, OptionKind.WholeNumber, "Requests served at once; more are answered 429.") { Default = "512" },
        new("max-waiting-time", OptionGroup.Server, OptionKind.Number, "Seconds a request may wait for its first token; -1 is for ever.") { Default = "-1" },
        new("max-queued-requests", OptionGroup.Server, OptionKind.WholeNumber, "Sequences that may wait for a slot; more are answered 429.") { Default = "1024" },
        new("timeout-graceful-shutdown", OptionGroup.Server, OptionKind.Number, "Seconds that running requests get to finish after SIGTERM.") { Default = "30" },
        new("allowed-origins", OptionGroup.Server, OptionKind.TextList, "Origins that browsers may call from (CORS); '*' is all. None: no cross-origin call."),
    ];

    /// <summary>Which model, from where, in which precision.</summary>
    public static IReadOnlyList<OptionDefinition> Model { get; } =
    [
        new("model", OptionGroup.Model, OptionKind.Text, "Directory of a checkpoint, or a hub id such as baidu/ERNIE-4.5-0.3B-PT. Absent: the embedded tales model."),
        new("served-model-name", OptionGroup.Model, OptionKind.Text, "Name of the model in the API. Absent: the value of --model."),
        new("revision", OptionGroup.Model, OptionKind.Text, "Branch, tag or commit of a hub model.") { Default = "main" },
        new("model-source", OptionGroup.Model, OptionKind.Text, "Hub to download from.") { Default = "HUGGINGFACE", Choices = ["HUGGINGFACE", "MODELSCOPE", "AISTUDIO"], EnvironmentVariables = ["FD_MODEL_SOURCE"] },
        new("model-cache", OptionGroup.Model, OptionKind.Text, "Directory for downloaded models. Absent: the user's cache directory.") { Aliases = ["download-dir"], EnvironmentVariables = ["FD_MODEL_CACHE"] },
        new("tokenizer", OptionGroup.Model, OptionKind.Text, "Directory of the tokenizer's files. Absent: the model's."),
        new("chat-template", OptionGroup.Model, OptionKind.Text, "Jinja chat template, as text or as a file's path. Absent: the model's."),
        new("load-format", OptionGroup.Model, OptionKind.Text, "auto reads the checkpoint; dummy makes weights up, for measurements.") { Default = "auto", Choices = ["auto", "dummy"] },
        new("load-choices", OptionGroup.Model, OptionKind.Text, "FastDeploy's spelling of --load-format; default and default_v1 are auto.") { Choices = ["default", "default_v1", "auto", "dummy"] },
        new("quantization", OptionGroup.Model, OptionKind.Text, "none, wint8, wint4, block_wise_fp8, or a JSON mix: {\"dense\":\"wint4\",\"head\":\"wint8\",\"kv_cache\":\"fp8\"}.") { Default = "none" },
        new("quantization-group-size", OptionGroup.Model, OptionKind.WholeNumber, "Input weights that share a scale in wint4: 64, 128, or 0 for one scale per output channel.") { Default = "128", Choices = ["0", "64", "128"] },
        new("lm-head-precision", OptionGroup.Model, OptionKind.Text, "Precision of the output head; auto is wint8 when the layers are quantised, else none.") { Default = "auto", Choices = ["auto", "none", "wint8", "wint4"] },
        new("kv-cache-dtype", OptionGroup.Model, OptionKind.Text, "Type of the key/value cache; auto is 16 bits (f32 beside --cpu-activations f32). fp8 and int8 halve it, with a factor per token and head.") { Default = "auto", Choices = ["auto", "fp8", "int8"] },
        new("seed", OptionGroup.Model, OptionKind.WholeNumber, "Seed of requests that bring none, for reproducible runs. Absent: each draws its own."),
    ];

    /// <summary>Sequences, tokens, memory.</summary>
    public static IReadOnlyList<OptionDefinition> Capacity { get; } =
    [
        new("max-model-len", OptionGroup.Capacity, OptionKind.WholeNumber, "Tokens of prompt and output together. Absent: the model's own, capped by memory."),
        new("max-num-seqs", OptionGroup.Capacity, OptionKind.WholeNumber, "Sequences that run at once.") { Default = "128" },
        new("max-num-batched-tokens", OptionGroup.Capacity, OptionKind.WholeNumber, "Tokens in one step. Absent: 8192 on a GPU, 512 on a CPU."),
        new("block-size", OptionGroup.Capacity, OptionKind.WholeNumber, "Tokens in a page of the key/value cache.") { Default = "64", Choices = ["64"] },
        new("gpu-memory-utilization", OptionGroup.Capacity, OptionKind.Number, "Part of the device's memory that weights and cache may take, in (0, 1].") { Default = "0.9" },
        new("num-gpu-blocks-override", OptionGroup.Capacity, OptionKind.WholeNumber, "Pages of the key/value cache, on any device. Absent: what memory holds."),
        new("enable-prefix-caching", OptionGroup.Capacity, OptionKind.Boolean, "Reuse the pages of equal prefixes.") { Default = "true" },
        new("enable-chunked-prefill", OptionGroup.Capacity, OptionKind.Boolean, "Split long prompts over steps and mix them with decoding.") { Default = "true" },
        new("use-cudagraph", OptionGroup.Capacity, OptionKind.Boolean, "Replay steps as CUDA graphs.") { Default = "true" },
        new("graph-optimization-config", OptionGroup.Capacity, OptionKind.Json, "FastDeploy's spelling: {\"use_cudagraph\": false} is --no-use-cudagraph; other keys have no effect."),
        new("keep-bf16-copies", OptionGroup.Capacity, OptionKind.Boolean, "Keep quantised weights in bf16 too, where the GPU multiplies more than 8 tokens faster by them and memory is ample.") { Default = "true" },
        new("persistent-kernel", OptionGroup.Capacity, OptionKind.Boolean, "Decode a sequence that is alone by one kernel for all of its step, where the GPU holds it; switch off where other processes compute on the GPU at the same time (MPS).") { Default = "true" },
        new("enable-overlap-schedule", OptionGroup.Capacity, OptionKind.Boolean, "Launch a step before the one before it is read, where the device samples.") { Default = "true" },
    ];

    /// <summary>How tokens are drawn.</summary>
    public static IReadOnlyList<OptionDefinition> Sampling { get; } =
    [
        new("sampler", OptionGroup.Sampling, OptionKind.Text, "Sampler (plugin) of requests that name none; FastDeploy's base, base_non_truncated and air are standard.") { Default = "standard", EnvironmentVariables = ["FD_SAMPLING_CLASS"] },
        new("max-logprobs", OptionGroup.Sampling, OptionKind.WholeNumber, "Most log-probabilities per token that a request may ask for.") { Default = "20" },
    ];

    /// <summary>Where the model runs.</summary>
    public static IReadOnlyList<OptionDefinition> Devices { get; } =
    [
        new("device", OptionGroup.Devices, OptionKind.Text, "auto takes a GPU that works, else the CPU, and says why.") { Default = "auto", Choices = ["auto", "cuda", "cpu"] },
        new("cpu-threads", OptionGroup.Devices, OptionKind.WholeNumber, "Threads of the CPU backend. Absent: one per core this process may use."),
        new("cpu-activations", OptionGroup.Devices, OptionKind.Text, "Activations of quantised layers on the CPU: int8 is fast, f32 is the reference; auto is int8.") { Default = "auto", Choices = ["auto", "int8", "f32"] },
        new("tensor-parallel-size", OptionGroup.Devices, OptionKind.WholeNumber, "GPUs that share the model; only 1 is supported.") { Default = "1" },
        new("data-parallel-size", OptionGroup.Devices, OptionKind.WholeNumber, "Copies of the model; only 1 is supported.") { Default = "1" },
    ];

    /// <summary>What is loaded besides the runtime.</summary>
    public static IReadOnlyList<OptionDefinition> Plugins { get; } =
    [
        new("plugin-dir", OptionGroup.Plugins, OptionKind.TextList, "Directory with one folder per plugin, besides plugins/ next to the program; repeatable."),
        new("cache-policy", OptionGroup.Plugins, OptionKind.Text, "Cache policy (plugin) of the prefix cache.") { Default = "radix-lru" },
        new("cache-policy-option", OptionGroup.Plugins, OptionKind.TextList, "Setting of the cache policy, name=value; repeatable."),
    ];

    /// <summary>Every option that the hosts share, flags without effect included.</summary>
    public static IReadOnlyList<OptionDefinition> All { get; } =
        [.. Server, .. Model, .. Capacity, .. Sampling, .. Devices, .. Plugins, .. FastDeployFlags.WithoutEffect];

    /// <summary>The options without the front end's: what a command that serves nobody takes.</summary>
    public static IReadOnlyList<OptionDefinition> WithoutServer { get; } =
        [.. Model, .. Capacity, .. Sampling, .. Devices, .. Plugins, .. FastDeployFlags.WithoutEffect];
}
