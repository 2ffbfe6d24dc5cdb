using Ernie.Plugins;

[assembly: ErniePlugin(typeof(Ernie.Samplers.Cutoff.CutoffPlugin), PluginContract.Version)]

namespace Ernie.Samplers.Cutoff;

/// <summary>Registers <see cref="CutoffSampler.Epsilon"/> and <see cref="CutoffSampler.Eta"/>.</summary>
public sealed class CutoffPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddSampler(CutoffSampler.Epsilon);
        registry.AddSampler(CutoffSampler.Eta);
    }
}
