namespace Ernie.Hosting.Options.Rows;

/// <summary>Where the model runs.</summary>
public static class DeviceRows
{
    private const string OneDevice = "This version runs a model on one device. Start one server per device, or use 1.";

    private static readonly OptionRows s_rows = new(OptionGroup.Devices);

    /// <summary>auto, cuda or cpu.</summary>
    public static Option<string> Device { get; } = s_rows.Choice(
        "device", "auto takes a GPU that works, else the CPU, and says why.", "auto", ["auto", "cuda", "cpu"]);

    /// <summary>Threads of the CPU backend; null is one per core.</summary>
    public static Option<int?> CpuThreads { get; } = s_rows.OptionalWholeNumber(
        "cpu-threads", "Threads of the CPU backend. Absent: one per core this process may use.", 1, 1024);

    /// <summary>Whether quantised layers on the CPU take f32 activations, the slow reference, instead of int8.</summary>
    public static Option<bool> CpuReferenceActivations { get; } = s_rows.Choice(
        "cpu-activations", "Activations of quantised layers on the CPU: int8 is fast, f32 is the reference; auto is int8.", "auto",
        [("auto", false), ("int8", false), ("f32", true)]);

    /// <summary>GPUs that share the model.</summary>
    public static Option<int> TensorParallelSize { get; } = s_rows.WholeNumber(
        "tensor-parallel-size", "GPUs that share the model; only 1 is supported.", 1, 1, 1, ["-tp"], OneDevice);

    /// <summary>Copies of the model.</summary>
    public static Option<int> DataParallelSize { get; } = s_rows.WholeNumber(
        "data-parallel-size", "Copies of the model; only 1 is supported.", 1, 1, 1, ["-dp"], OneDevice);

    /// <summary>The rows, in the help's order.</summary>
    public static IReadOnlyList<OptionDefinition> All => s_rows.All;
}
