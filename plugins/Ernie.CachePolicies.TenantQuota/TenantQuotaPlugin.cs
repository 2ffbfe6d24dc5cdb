using Ernie.Plugins;

[assembly: ErniePlugin(typeof(Ernie.CachePolicies.TenantQuota.TenantQuotaPlugin), PluginContract.Version)]

namespace Ernie.CachePolicies.TenantQuota;

/// <summary>Registers the <c>tenant-quota</c> policy. Settings: <c>quota-percent</c>, share of the pool each tenant may fill before its pages go first, default 25; <c>quota-percent.N</c>, the same for tenant N.</summary>
public sealed class TenantQuotaPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddCachePolicy(TenantQuotaPolicy.PolicyName, options => new TenantQuotaPolicy(options));
    }
}
