using Ernie.Plugins;

[assembly: ErniePlugin(typeof(Ernie.CachePolicies.S3Fifo.S3FifoPlugin), PluginContract.Version)]

namespace Ernie.CachePolicies.S3Fifo;

/// <summary>Registers the <c>s3-fifo</c> policy: pages seen once leave soon, pages seen again stay. It has no settings.</summary>
public sealed class S3FifoPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddCachePolicy(S3FifoPolicy.PolicyName, options => new S3FifoPolicy(options));
    }
}
