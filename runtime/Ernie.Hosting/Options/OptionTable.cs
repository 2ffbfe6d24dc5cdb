using Ernie.Hosting.Options.Rows;

namespace Ernie.Hosting.Options;

/// <summary>
/// Every option that the server and the command line share. The parser, the help and the configuration file read this
/// table; what acts on an option asks <see cref="OptionSet.Get{T}"/> for its row. What engine, CPU and GPU are configured with are
/// views of it.
/// </summary>
public static class OptionTable
{
    /// <summary>The options without the front end's: what a command that serves nobody takes.</summary>
    public static IReadOnlyList<OptionDefinition> WithoutServer { get; } =
        [.. ModelRows.All, .. CapacityRows.All, .. SamplingRows.All, .. DeviceRows.All, .. PluginRows.All, .. ForeignFlags.All];

    /// <summary>Every option that the hosts share, flags without effect included.</summary>
    public static IReadOnlyList<OptionDefinition> All { get; } = [.. ServerRows.All, .. WithoutServer];
}
