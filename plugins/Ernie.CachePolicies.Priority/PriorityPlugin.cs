using Ernie.Plugins;

[assembly: ErniePlugin(typeof(Ernie.CachePolicies.Priority.PriorityPlugin), PluginContract.Version)]

namespace Ernie.CachePolicies.Priority;

/// <summary>Registers the <c>priority-ttl</c> policy. Setting <c>ttl-seconds</c>: how long an unused page may be found again, default 3600.</summary>
public sealed class PriorityPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddCachePolicy(PriorityPolicy.PolicyName, options => new PriorityPolicy(options));
    }
}
