using Ernie.Plugins;

[assembly: ErniePlugin(typeof(Ernie.Samplers.Xtc.XtcPlugin), PluginContract.Version)]

namespace Ernie.Samplers.Xtc;

/// <summary>Registers <see cref="XtcSampler"/>.</summary>
public sealed class XtcPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddSampler(new XtcSampler());
    }
}
