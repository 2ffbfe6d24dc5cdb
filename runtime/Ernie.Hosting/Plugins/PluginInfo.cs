namespace Ernie.Hosting.Plugins;

/// <summary>A plugin that was found.</summary>
/// <param name="Name">Its name, or its folder's where plugin.json cannot be read.</param>
/// <param name="Version">Its version; empty when unknown.</param>
/// <param name="Directory">Its folder.</param>
/// <param name="State">What became of it.</param>
/// <param name="Diagnostic">What is wrong with it; null when it is loaded or disabled.</param>
/// <param name="Registered">What it brought: <c>sampler standard</c>, <c>cache policy radix-lru</c>.</param>
public sealed record PluginInfo(
    string Name, string Version, string Directory, PluginState State, PluginDiagnostic? Diagnostic, IReadOnlyList<string> Registered)
{
    /// <summary>Whether the program must not start without it.</summary>
    public bool IsRequired { get; init; }
}
