using Ernie.Hosting.Options;
using Ernie.Kernels;

namespace Ernie.Cli.Kernels;

/// <summary>Options of the commands that plan kernels: for which GPUs.</summary>
internal sealed class PlanOptions
{
    private readonly OptionRows _rows = new(OptionGroup.Command);
    private readonly Option<string> _architectures;
    private readonly Option<int?> _multiprocessors;

    /// <summary>The options of one command.</summary>
    /// <param name="architectures">The architectures when it is given none.</param>
    public PlanOptions(string architectures)
    {
        _architectures = _rows.Text("arch", $"GPU architectures, separated by commas: {Known}.", architectures);
        _multiprocessors = _rows.OptionalWholeNumber(
            "multiprocessors", "Multiprocessors of the GPU, by which kernels are chosen. Absent: those of A100, A10, L4 and H100 SXM, by architecture.", 1, 1024);
    }

    /// <summary>The rows.</summary>
    public IReadOnlyList<OptionDefinition> All => _rows.All;

    /// <summary>The devices that options name.</summary>
    /// <param name="options">Options parsed with <see cref="All"/>.</param>
    /// <exception cref="OptionException">An architecture that is not among the tested ones.</exception>
    public IReadOnlyList<DeviceProfile> Devices(OptionSet options)
    {
        ArgumentNullException.ThrowIfNull(options);
        int? multiprocessors = options.Get(_multiprocessors);
        string[] names = options.Get(_architectures).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (names.Length == 0)
            throw new OptionException($"--arch names no architecture; there are {Known}.");
        return [.. names.Select(Parse).Distinct().Select(DeviceProfile.Typical).Select(device => multiprocessors is { } count ? device with { Multiprocessors = count } : device)];
    }

    private static string Known => string.Join(", ", GpuArchitecture.Tested.Select(architecture => architecture.Name));

    private static GpuArchitecture Parse(string name)
    {
        try
        {
            return GpuArchitecture.Parse(name);
        }
        catch (ArgumentException exception)
        {
            throw new OptionException($"--arch: '{name}' is not one of {Known}.", exception);
        }
    }
}
