namespace Ernie.Hosting.Plugins;

/// <summary>What became of a plugin.</summary>
public enum PluginState
{
    /// <summary>It registered what it brings.</summary>
    Loaded,

    /// <summary>Its plugin.json says <c>"enabled": false</c>.</summary>
    Disabled,

    /// <summary>It was built against another version of the contract; none of its code ran.</summary>
    WrongContract,

    /// <summary>It could not be loaded or registered; the diagnostic says why.</summary>
    Malfunctioned,
}
