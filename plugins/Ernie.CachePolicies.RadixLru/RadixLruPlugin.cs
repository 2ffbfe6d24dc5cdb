using Ernie.CachePolicies.RadixLru;
using Ernie.Plugins;

[assembly: ErniePlugin(typeof(RadixLruPlugin), PluginContract.Version)]

namespace Ernie.CachePolicies.RadixLru;

/// <summary>Entry of the plugin.</summary>
public sealed class RadixLruPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddCachePolicy(RadixLruPolicy.PolicyName, static options => new RadixLruPolicy(options));
    }
}
