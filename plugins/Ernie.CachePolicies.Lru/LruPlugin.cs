using Ernie.Plugins;

[assembly: ErniePlugin(typeof(Ernie.CachePolicies.Lru.LruPlugin), PluginContract.Version)]

namespace Ernie.CachePolicies.Lru;

/// <summary>Registers the <c>lru</c> policy: the page used longest ago goes first. It has no settings.</summary>
public sealed class LruPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddCachePolicy(LruPolicy.PolicyName, options => new LruPolicy(options));
    }
}
