using Ernie.Caching;
using Ernie.Sampling;

namespace Ernie.Hosting.Plugins;

/// <summary>Every plugin that was found, and everything the good ones registered.</summary>
public sealed class PluginCatalog
{
    internal PluginCatalog()
    {
    }

    /// <summary>The plugins, in the order they were found.</summary>
    public IReadOnlyList<PluginInfo> Plugins => Found;

    /// <summary>What is wrong, plugins and directories alike.</summary>
    public IReadOnlyList<PluginDiagnostic> Diagnostics => Problems;

    /// <summary>Samplers by name.</summary>
    public IReadOnlyDictionary<string, ISampler> Samplers => SamplersByName;

    /// <summary>Cache policies by name.</summary>
    public IReadOnlyDictionary<string, Func<CachePolicyOptions, ICachePolicy>> CachePolicies => PoliciesByName;

    /// <summary>Hosts by name.</summary>
    public IReadOnlyDictionary<string, IEngineHost> Hosts => HostsByName;

    internal List<PluginInfo> Found { get; } = [];

    internal List<PluginDiagnostic> Problems { get; } = [];

    internal Dictionary<string, ISampler> SamplersByName { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, Func<CachePolicyOptions, ICachePolicy>> PoliciesByName { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, IEngineHost> HostsByName { get; } = new(StringComparer.Ordinal);
}
