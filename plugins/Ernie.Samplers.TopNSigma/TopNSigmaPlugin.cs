using Ernie.Plugins;

[assembly: ErniePlugin(typeof(Ernie.Samplers.TopNSigma.TopNSigmaPlugin), PluginContract.Version)]

namespace Ernie.Samplers.TopNSigma;

/// <summary>Registers <see cref="TopNSigmaSampler"/>.</summary>
public sealed class TopNSigmaPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddSampler(new TopNSigmaSampler());
    }
}
