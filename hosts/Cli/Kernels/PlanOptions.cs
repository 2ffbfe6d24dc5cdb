using Ernie.Hosting.Options;
using Ernie.Kernels;

namespace Ernie.Cli.Kernels;

/// <summary>Options of the commands that plan kernels: for which GPUs.</summary>
internal static class PlanOptions
{
    /// <summary>Options, with the architectures of a command that is given none.</summary>
    /// <param name="architectures">Default of <c>--arch</c>.</param>
    public static IReadOnlyList<OptionDefinition> Create(string architectures) =>
    [
        new("arch", OptionGroup.Command, OptionKind.Text, $"GPU architectures, separated by commas: {Known}.") { Default = architectures },
        new("multiprocessors", OptionGroup.Command, OptionKind.WholeNumber, "Multiprocessors of the GPU, by which kernels are chosen. Absent: those of A100, A10, L4 and H100 SXM, by architecture."),
    ];

    /// <summary>The devices that options name.</summary>
    /// <param name="options">Options parsed with <see cref="Create"/>.</param>
    /// <exception cref="OptionException">An architecture that is not among the tested ones.</exception>
    public static IReadOnlyList<DeviceProfile> Devices(OptionSet options)
    {
        ArgumentNullException.ThrowIfNull(options);
        int? multiprocessors = options.WholeNumber("multiprocessors", 1, 1024);
        string[] names = options.RequiredText("arch").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
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
