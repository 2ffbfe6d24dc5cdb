using Ernie.Caching;
using Ernie.Hosting;
using Ernie.Sampling;

namespace Ernie.Plugins;

/// <summary>Version of the contract between the runtime and its plugins.</summary>
public static class PluginContract
{
    /// <summary>A const, so that it is baked into a plugin when the plugin is built.</summary>
    public const int Version = 1;
}

/// <summary>Names a plugin assembly's entry type, so that the loader needs no reflection scan.</summary>
/// <param name="entryType">A public type with a parameterless constructor that implements <see cref="IPlugin"/>.</param>
/// <param name="contractVersion">Pass <see cref="PluginContract.Version"/>.</param>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class ErniePluginAttribute(Type entryType, int contractVersion) : Attribute
{
    /// <summary>The entry type.</summary>
    public Type EntryType { get; } = entryType;

    /// <summary>Contract version at the plugin's build.</summary>
    public int ContractVersion { get; } = contractVersion;
}

/// <summary>Entry of a plugin.</summary>
public interface IPlugin
{
    /// <summary>Registers what the plugin brings. Called once, before the engine is built.</summary>
    /// <param name="registry">Where to register.</param>
    void Register(IPluginRegistry registry);
}

/// <summary>Where plugins register. Names are unique per kind; a duplicate is an error of the later plugin.</summary>
public interface IPluginRegistry
{
    /// <summary>Adds a sampler.</summary>
    /// <param name="sampler">Stateless; used by many requests at once.</param>
    void AddSampler(ISampler sampler);

    /// <summary>Adds a cache policy.</summary>
    /// <param name="name">Name by which a server chooses it.</param>
    /// <param name="create">Creates the policy of one engine.</param>
    void AddCachePolicy(string name, Func<CachePolicyOptions, ICachePolicy> create);

    /// <summary>Adds a host.</summary>
    /// <param name="host">The host; <c>--host NAME</c> is taken by the address, so a command line names it with <c>--engine-host</c>.</param>
    void AddHost(IEngineHost host);
}
