using System.Diagnostics;
using Ernie.Cli.Hosting;
using Ernie.Hosting;
using Ernie.Hosting.Options;
using Ernie.Hosting.Plugins;
using Ernie.Kernels;

namespace Ernie.Cli.Commands;

/// <summary>Shows which plugins are found and what became of them.</summary>
/// <param name="kind">list or check.</param>
internal sealed class PluginsCommand(string kind) : ICommand
{
    /// <inheritdoc/>
    public string Name => $"plugins {kind}";

    /// <inheritdoc/>
    public string Summary => kind == "list"
        ? "Lists the plugins that are found, their state and what they bring."
        : "Loads every plugin and fails with the diagnostics of those that do not work.";

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options => OptionTable.WithoutServer;

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        long startedAt = Stopwatch.GetTimestamp();
        PluginCatalog catalog = PluginLoader.Check(EngineBuilder.PluginDirectories(context.Options));
        TimeSpan elapsed = Stopwatch.GetElapsedTime(startedAt);

        // Any architecture shows what is wrong with the text of a device form.
        if (kind == "check")
        {
            if (DeviceFormCheck.Find([.. catalog.Samplers.Values], GpuArchitecture.Parse("sm_80")) is { } broken)
                catalog.Refuse(broken);
            else
                await context.Console.Error.WriteLineAsync("No NVRTC was found: device forms of samplers are not checked.").ConfigureAwait(false);
        }

        if (kind == "list")
        {
            int width = catalog.Plugins.Select(plugin => plugin.Name.Length).Append(0).Max();
            foreach (PluginInfo plugin in catalog.Plugins)
                await context.Console.Output.WriteLineAsync($"{plugin.Name.PadRight(width)} {plugin.Version,-10} {plugin.State,-15} {string.Join(", ", plugin.Registered)}").ConfigureAwait(false);
            await context.Console.Output.WriteLineAsync($"{catalog.Plugins.Count} plugins in {elapsed.TotalMilliseconds:F0} ms").ConfigureAwait(false);
        }

        foreach (PluginDiagnostic diagnostic in catalog.Diagnostics)
            await context.Console.Error.WriteLineAsync(diagnostic.ToString()).ConfigureAwait(false);
        // A list is of what there is, good and bad; a directory that is not there cannot be listed.
        if (kind == "list")
            return catalog.Diagnostics.Any(diagnostic => diagnostic.Id == PluginDiagnostic.DirectoryMissing) ? 1 : 0;
        await context.Console.Output.WriteLineAsync($"{catalog.Plugins.Count} plugins, {catalog.Diagnostics.Count} problems").ConfigureAwait(false);
        return catalog.Diagnostics.Count == 0 ? 0 : 1;
    }
}
