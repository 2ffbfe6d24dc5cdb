using Ernie.Plugins;

[assembly: ErniePlugin(typeof(Ernie.Samplers.Cutoff.CutoffPlugin), PluginContract.Version)]

namespace Ernie.Samplers.Cutoff;

/// <summary>Registers <see cref="EpsilonCutoffSampler"/> and <see cref="EtaCutoffSampler"/>.</summary>
public sealed class CutoffPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddSampler(new EpsilonCutoffSampler());
        registry.AddSampler(new EtaCutoffSampler());
    }
}
