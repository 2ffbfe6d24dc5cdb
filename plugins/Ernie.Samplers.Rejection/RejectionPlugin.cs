using Ernie.Plugins;

[assembly: ErniePlugin(typeof(Ernie.Samplers.Rejection.RejectionPlugin), PluginContract.Version)]

namespace Ernie.Samplers.Rejection;

/// <summary>Registers <see cref="RejectionSampler"/>.</summary>
public sealed class RejectionPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddSampler(new RejectionSampler());
    }
}
