using System.Text.Json;

namespace Ernie.Hosting.Options;

/// <summary>Capacity, device and plugins of an engine.</summary>
public sealed class EngineOptions
{
    /// <summary>auto, cuda or cpu.</summary>
    public string Device { get; set; } = "auto";

    /// <summary>Threads of the CPU backend; null is one per core.</summary>
    public int? CpuThreads { get; set; }

    /// <summary>Whether quantised layers on the CPU take f32 activations, the slow reference, instead of int8.</summary>
    public bool CpuReferenceActivations { get; set; }

    /// <summary>Tokens of prompt and output together; null is the model's own, capped by memory.</summary>
    public int? MaxModelLength { get; set; }

    /// <summary>Sequences that run at once.</summary>
    public int MaxSequences { get; set; } = 128;

    /// <summary>Tokens in one step; null is the device's default.</summary>
    public int? MaxBatchedTokens { get; set; }

    /// <summary>Sequences that may wait for a slot.</summary>
    public int MaxQueuedRequests { get; set; } = 1024;

    /// <summary>Pages of the key/value cache; null is what memory holds.</summary>
    public int? PageCount { get; set; }

    /// <summary>Part of the device's memory for weights and cache, in (0, 1].</summary>
    public double MemoryUtilization { get; set; } = 0.9;

    /// <summary>Whether pages of equal prefixes are reused.</summary>
    public bool EnablePrefixCaching { get; set; } = true;

    /// <summary>Whether prompts are split over steps.</summary>
    public bool EnableChunkedPrefill { get; set; } = true;

    /// <summary>Whether steps are launched ahead where the device samples.</summary>
    public bool EnableOverlap { get; set; } = true;

    /// <summary>Whether steps are replayed as CUDA graphs.</summary>
    public bool UseCudaGraphs { get; set; } = true;

    /// <summary>Whether quantised weights are also kept in bf16 on a GPU that multiplies many tokens faster by them.</summary>
    public bool KeepBf16Copies { get; set; } = true;

    /// <summary>Whether a sequence that is alone is decoded by one kernel for all of its step, where the GPU holds that kernel.</summary>
    public bool UsesPersistentKernel { get; set; } = true;

    /// <summary>Seed of requests that bring none; null draws one per request.</summary>
    public ulong? Seed { get; set; }

    /// <summary>Sampler of requests that name none.</summary>
    public string Sampler { get; set; } = "standard";

    /// <summary>Name of the cache policy.</summary>
    public string CachePolicy { get; set; } = "radix-lru";

    /// <summary>Settings of the cache policy.</summary>
    public IReadOnlyDictionary<string, string> CachePolicySettings { get; set; } = new Dictionary<string, string>();

    /// <summary>Directories with one folder per plugin, besides <c>plugins/</c> next to the program.</summary>
    public IReadOnlyList<string> PluginDirectories { get; set; } = [];

    /// <summary>Most log-probabilities per token that a request may ask for.</summary>
    public int MaxLogprobs { get; set; } = 20;

    /// <summary>Binds parsed options.</summary>
    /// <param name="options">Options parsed with <see cref="OptionTable.All"/> or <see cref="OptionTable.WithoutServer"/>.</param>
    /// <param name="hasServerOptions">Whether the table had the server's options.</param>
    /// <exception cref="OptionException">A value out of bounds.</exception>
    public static EngineOptions Create(OptionSet options, bool hasServerOptions = false)
    {
        ArgumentNullException.ThrowIfNull(options);
        double utilization = options.Number("gpu-memory-utilization")!.Value; // The table has a default.
        if (utilization is not (> 0 and <= 1))
        {
            throw new OptionException($"--gpu-memory-utilization is {utilization} and must be above 0 and at most 1.");
        }

        RefuseParallelism(options, "tensor-parallel-size");
        RefuseParallelism(options, "data-parallel-size");
        return new EngineOptions
        {
            Device = options.RequiredText("device"),
            CpuThreads = options.WholeNumber("cpu-threads", 1, 1024),
            CpuReferenceActivations = options.Text("cpu-activations") == "f32",
            MaxModelLength = options.WholeNumber("max-model-len", 2),
            MaxSequences = options.WholeNumber("max-num-seqs", 1, 4096)!.Value, // The table has a default.
            MaxBatchedTokens = options.WholeNumber("max-num-batched-tokens", 1),
            MaxQueuedRequests = hasServerOptions ? options.WholeNumber("max-queued-requests", 0)!.Value : int.MaxValue, // The table has a default.
            PageCount = options.WholeNumber("num-gpu-blocks-override", 1),
            MemoryUtilization = utilization,
            EnablePrefixCaching = options.Flag("enable-prefix-caching"),
            EnableChunkedPrefill = options.Flag("enable-chunked-prefill"),
            EnableOverlap = options.Flag("enable-overlap-schedule"),
            UseCudaGraphs = UsesCudaGraphs(options),
            KeepBf16Copies = options.Flag("keep-bf16-copies"),
            UsesPersistentKernel = options.Flag("persistent-kernel"),
            Seed = (ulong?)options.WholeNumber("seed"),
            Sampler = options.RequiredText("sampler") is "base" or "base_non_truncated" or "air" ? "standard" : options.RequiredText("sampler"),
            CachePolicy = options.RequiredText("cache-policy"),
            CachePolicySettings = ParseSettings(options.List("cache-policy-option")),
            PluginDirectories = options.List("plugin-dir"),
            MaxLogprobs = options.WholeNumber("max-logprobs", -1)!.Value, // The table has a default.
        };
    }

    private static void RefuseParallelism(OptionSet options, string name)
    {
        if (options.WholeNumber(name) is not 1 and { } size)
        {
            throw new OptionException($"--{name} is {size}: this version runs a model on one device. Start one server per device, or use 1.");
        }
    }

    private static bool UsesCudaGraphs(OptionSet options)
    {
        if (options.IsSet("use-cudagraph") || options.Text("graph-optimization-config") is not { } json)
        {
            return options.Flag("use-cudagraph");
        }

        using JsonDocument document = JsonDocument.Parse(json);
        return !document.RootElement.TryGetProperty("use_cudagraph", out JsonElement value) || value.ValueKind != JsonValueKind.False;
    }

    private static Dictionary<string, string> ParseSettings(IReadOnlyList<string> texts)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string text in texts)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new OptionException($"--cache-policy-option is '{text}' and must be name=value.");
            }

            settings[text[..equals]] = text[(equals + 1)..];
        }

        return settings;
    }
}
