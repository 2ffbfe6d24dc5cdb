using System.Text.Json.Serialization;

namespace Ernie.Hosting.Plugins;

/// <summary>A plugin.json: what is known of a plugin before any of its code runs.</summary>
/// <remarks>What may be absent has a setter: generated readers give init-only properties the type's default instead of the one written here.</remarks>
public sealed record PluginManifest
{
    /// <summary>Name of the plugin, unique among those loaded.</summary>
    [JsonRequired]
    public string Name { get; init; } = "";

    /// <summary>File name of the plugin's assembly, in the same folder.</summary>
    [JsonRequired]
    public string Assembly { get; init; } = "";

    /// <summary>The plugin's own version.</summary>
    public string Version { get; set; } = "";

    /// <summary>Version of the contract it was built against.</summary>
    [JsonRequired]
    public int Contract { get; init; }

    /// <summary>Whether the program must not start without it.</summary>
    public bool Required { get; set; }

    /// <summary>Whether it is loaded at all.</summary>
    public bool Enabled { get; set; } = true;
}
