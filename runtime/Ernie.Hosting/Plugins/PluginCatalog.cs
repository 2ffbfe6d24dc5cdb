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

    /// <summary>Takes out the plugins of samplers whose device form is broken; the rest of the catalog stays.</summary>
    /// <param name="broken">What <see cref="DeviceFormCheck"/> found.</param>
    /// <exception cref="PluginException">One of the plugins is required.</exception>
    public void Refuse(IEnumerable<(ISampler Sampler, PluginDiagnostic Diagnostic)> broken)
    {
        ArgumentNullException.ThrowIfNull(broken);
        foreach ((ISampler sampler, PluginDiagnostic diagnostic) in broken)
        {
            Problems.Add(diagnostic);
            int index = Found.FindIndex(plugin => plugin.Registered.Contains($"sampler {sampler.Name}"));
            if (index < 0)
            {
                continue;
            }

            PluginInfo plugin = Found[index];
            if (plugin.IsRequired)
            {
                throw new PluginException($"Plugin '{plugin.Name}' is required and does not work. {diagnostic}");
            }

            foreach (string registered in plugin.Registered)
            {
                string name = registered[(registered.LastIndexOf(' ') + 1)..];
                _ = registered.StartsWith("sampler ", StringComparison.Ordinal) ? SamplersByName.Remove(name)
                    : registered.StartsWith("host ", StringComparison.Ordinal) ? HostsByName.Remove(name) : PoliciesByName.Remove(name);
            }

            Found[index] = plugin with { State = PluginState.Malfunctioned, Diagnostic = diagnostic, Registered = [] };
        }
    }

    internal List<PluginInfo> Found { get; } = [];

    internal List<PluginDiagnostic> Problems { get; } = [];

    internal Dictionary<string, ISampler> SamplersByName { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, Func<CachePolicyOptions, ICachePolicy>> PoliciesByName { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, IEngineHost> HostsByName { get; } = new(StringComparer.Ordinal);
}
