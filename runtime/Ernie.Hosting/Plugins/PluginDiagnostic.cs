namespace Ernie.Hosting.Plugins;

/// <summary>What is wrong with a plugin. Every id has a page in docs/diagnostics.</summary>
/// <param name="Id">ERN4001 and following.</param>
/// <param name="Path">The file or directory at fault.</param>
/// <param name="Message">What was found and what was needed.</param>
public sealed record PluginDiagnostic(string Id, string Path, string Message)
{
    /// <summary>plugin.json cannot be read or says too little.</summary>
    public const string BadManifest = "ERN4001";

    /// <summary>The assembly that plugin.json names is not in the plugin's folder.</summary>
    public const string AssemblyMissing = "ERN4002";

    /// <summary>The plugin was built against another version of the contract.</summary>
    public const string WrongContract = "ERN4003";

    /// <summary>The assembly names no usable entry type.</summary>
    public const string NoEntryType = "ERN4004";

    /// <summary>The assembly, or one that it needs, cannot be loaded.</summary>
    public const string NotLoadable = "ERN4005";

    /// <summary>The plugin's own code threw while it registered.</summary>
    public const string RegistrationFailed = "ERN4006";

    /// <summary>A name is taken already.</summary>
    public const string DuplicateName = "ERN4007";

    /// <summary>What it registered breaks a bound of the contract.</summary>
    public const string BreaksContract = "ERN4008";

    /// <summary>A plugin directory does not exist.</summary>
    public const string DirectoryMissing = "ERN4010";

    /// <summary>The device form of a sampler does not compile.</summary>
    public const string DeviceForm = "ERN4011";

    /// <inheritdoc/>
    public override string ToString() => $"{Path}: error {Id}: {Message}";
}
