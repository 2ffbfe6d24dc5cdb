using Ernie.Plugins;

[assembly: ErniePlugin(typeof(Ernie.Samplers.MinP.MinPPlugin), PluginContract.Version)]

namespace Ernie.Samplers.MinP;

/// <summary>Registers <see cref="MinPSampler"/>.</summary>
public sealed class MinPPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddSampler(new MinPSampler());
    }
}
