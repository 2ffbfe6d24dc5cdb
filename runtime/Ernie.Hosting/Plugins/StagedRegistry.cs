using System.Text.RegularExpressions;
using Ernie.Caching;
using Ernie.Plugins;
using Ernie.Sampling;

namespace Ernie.Hosting.Plugins;

/// <summary>Collects what one plugin registers; it enters the catalog only when everything is in order.</summary>
internal sealed partial class StagedRegistry(PluginCatalog catalog, string path) : IPluginRegistry
{
    private readonly Dictionary<string, ISampler> _samplers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<CachePolicyOptions, ICachePolicy>> _policies = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IEngineHost> _hosts = new(StringComparer.Ordinal);

    /// <summary>The first thing that is wrong.</summary>
    public PluginDiagnostic? Problem { get; private set; }

    /// <summary>What was registered, for people.</summary>
    public IReadOnlyList<string> Names =>
    [
        .. _samplers.Keys.Select(name => $"sampler {name}"),
        .. _policies.Keys.Select(name => $"cache policy {name}"),
        .. _hosts.Keys.Select(name => $"host {name}"),
    ];

    /// <inheritdoc/>
    public void AddSampler(ISampler sampler)
    {
        ArgumentNullException.ThrowIfNull(sampler);
        if (sampler.ParameterBytes is < 0 or > SamplerLimits.MaxParameterBytes)
        {
            Report(PluginDiagnostic.BreaksContract, $"Sampler '{sampler.Name}' has {sampler.ParameterBytes} bytes of parameters; at most {SamplerLimits.MaxParameterBytes} are allowed.");
        }
        else if (sampler.ScratchBytes is < 0 or > SamplerLimits.MaxScratchBytes)
        {
            Report(PluginDiagnostic.BreaksContract, $"Sampler '{sampler.Name}' wants {sampler.ScratchBytes} bytes of scratch; at most {SamplerLimits.MaxScratchBytes} are allowed.");
        }
        else
        {
            Add("sampler", sampler.Name, sampler, _samplers, catalog.Samplers);
        }
    }

    /// <inheritdoc/>
    public void AddCachePolicy(string name, Func<CachePolicyOptions, ICachePolicy> create)
    {
        ArgumentNullException.ThrowIfNull(create);
        Add("cache policy", name, create, _policies, catalog.CachePolicies);
    }

    /// <inheritdoc/>
    public void AddHost(IEngineHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        Add("host", host.Name, host, _hosts, catalog.Hosts);
    }

    /// <summary>Puts everything into the catalog.</summary>
    public void Commit()
    {
        foreach ((string name, ISampler sampler) in _samplers)
        {
            catalog.SamplersByName.Add(name, sampler);
        }

        foreach ((string name, Func<CachePolicyOptions, ICachePolicy> create) in _policies)
        {
            catalog.PoliciesByName.Add(name, create);
        }

        foreach ((string name, IEngineHost host) in _hosts)
        {
            catalog.HostsByName.Add(name, host);
        }
    }

    private void Add<T>(string kind, string name, T value, Dictionary<string, T> staged, IReadOnlyDictionary<string, T> taken)
    {
        if (name is null || !NamePattern().IsMatch(name))
        {
            Report(PluginDiagnostic.BreaksContract, $"The {kind}'s name is '{name}'; names are lower-case words and digits joined with '-'.");
        }
        else if (taken.ContainsKey(name) || !staged.TryAdd(name, value))
        {
            Report(PluginDiagnostic.DuplicateName, $"There is a {kind} '{name}' already; the earlier one stays.");
        }
    }

    private void Report(string id, string message) => Problem ??= new PluginDiagnostic(id, path, message);

    [GeneratedRegex("^[a-z0-9]+(-[a-z0-9]+)*$")]
    private static partial Regex NamePattern();
}
