using System.Text.Json;

namespace Ernie.Hosting.Options.Rows;

/// <summary>Sequences, tokens, memory.</summary>
public static class CapacityRows
{
    private static readonly OptionRows s_rows = new(OptionGroup.Capacity);

    /// <summary>Tokens of prompt and output together; null is the model's own, capped by memory.</summary>
    public static Option<int?> MaxModelLength { get; } = s_rows.OptionalWholeNumber(
        "max-model-len", "Tokens of prompt and output together. Absent: the model's own, capped by memory.", 2);

    /// <summary>Sequences that run at once.</summary>
    public static Option<int> MaxSequences { get; } = s_rows.WholeNumber("max-num-seqs", "Sequences that run at once.", 128, 1, 4096);

    /// <summary>Tokens in one step; null is the device's default.</summary>
    public static Option<int?> MaxBatchedTokens { get; } = s_rows.OptionalWholeNumber(
        "max-num-batched-tokens", "Tokens in one step. Absent: 8192 on a GPU, 512 on a CPU.", 1);

    /// <summary>Share of the device's memory that this instance may take.</summary>
    public static Option<double> MemoryUtilization { get; } = s_rows.Number(
        "gpu-memory-utilization", "Share of the device's memory that this instance may take, in (0, 1]; it must be free. Two servers on one card share it, as 0.4 and 0.4.", 0.9, new OptionRange(0, 1, ExcludesLeast: true));

    /// <summary>Pages of the key/value cache; null is what memory holds.</summary>
    public static Option<int?> PageCount { get; } = s_rows.OptionalWholeNumber(
        "num-gpu-blocks-override", "Pages of the key/value cache, on any device, whatever the share. Absent: what the share holds.", 1);

    /// <summary>Whether pages of equal prefixes are reused.</summary>
    public static Option<bool> PrefixCaching { get; } = s_rows.Switch("enable-prefix-caching", "Reuse the pages of equal prefixes.", true);

    /// <summary>Whether prompts are split over steps.</summary>
    public static Option<bool> ChunkedPrefill { get; } = s_rows.Switch(
        "enable-chunked-prefill", "Split long prompts over steps and mix them with decoding.", true);

    /// <summary>Whether steps are replayed as CUDA graphs; <see cref="UsesCudaGraphs"/> also asks <see cref="GraphOptimization"/>.</summary>
    public static Option<bool> CudaGraphs { get; } = s_rows.Switch("use-cudagraph", "Replay steps as CUDA graphs.", true);

    /// <summary>FastDeploy's spelling of <see cref="CudaGraphs"/>.</summary>
    public static Option<string?> GraphOptimization { get; } = s_rows.OptionalJson(
        "graph-optimization-config", "FastDeploy's spelling: {\"use_cudagraph\": false} is --no-use-cudagraph; other keys have no effect.");

    /// <summary>vLLM's spelling of the opposite of <see cref="CudaGraphs"/>.</summary>
    public static Option<bool> EnforceEager { get; } = s_rows.Switch("enforce-eager", "vLLM's spelling of --no-use-cudagraph.");

    /// <summary>Whether quantised weights are also kept in bf16 on a GPU that multiplies many tokens faster by them.</summary>
    public static Option<bool> Bf16Copies { get; } = s_rows.Switch(
        "keep-bf16-copies", "Keep quantised weights in bf16 too, where the GPU multiplies more than 8 tokens faster by them and memory is ample.", true);

    /// <summary>Whether a sequence that is alone is decoded by one kernel for all of its step, where the GPU holds that kernel.</summary>
    public static Option<bool> PersistentKernel { get; } = s_rows.Switch(
        "persistent-kernel",
        "Decode a sequence that is alone by one kernel for all of its step, where the GPU holds it; switch off where other processes compute on the GPU at the same time.",
        true);

    /// <summary>Whether steps are launched ahead where the device samples.</summary>
    public static Option<bool> Overlap { get; } = s_rows.Switch(
        "enable-overlap-schedule", "Launch a step before the one before it is read, where the device samples.", true, ["async-scheduling"]);

    /// <summary>The rows, in the help's order.</summary>
    public static IReadOnlyList<OptionDefinition> All => s_rows.All;

    /// <summary>Whether steps are replayed as CUDA graphs, by any of its spellings.</summary>
    /// <param name="options">The options.</param>
    /// <exception cref="OptionException">Two spellings contradict each other.</exception>
    public static bool UsesCudaGraphs(OptionSet options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var asked = new List<(string Where, bool Wanted)>();
        if (options.IsSet(CudaGraphs))
        {
            asked.Add(("--" + CudaGraphs.Name, options.Get(CudaGraphs)));
        }

        if (options.IsSet(EnforceEager))
        {
            asked.Add(("--" + EnforceEager.Name, !options.Get(EnforceEager)));
        }

        if (options.Get(GraphOptimization) is { } json)
        {
            using JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.TryGetProperty("use_cudagraph", out JsonElement value))
            {
                asked.Add((
                    "--" + GraphOptimization.Name,
                    value.ValueKind is JsonValueKind.True or JsonValueKind.False
                        ? value.GetBoolean()
                        : throw new OptionException($"--{GraphOptimization.Name}: use_cudagraph must be true or false.")));
            }
        }

        return asked.DistinctBy(spelling => spelling.Wanted).Count() <= 1
            ? asked.Count == 0 ? options.Get(CudaGraphs) : asked[0].Wanted
            : throw new OptionException($"{string.Join(" and ", asked.Select(spelling => spelling.Where))} contradict each other about CUDA graphs. Give one of them.");
    }
}
