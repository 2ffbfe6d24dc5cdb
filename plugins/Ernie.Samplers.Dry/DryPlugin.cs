using Ernie.Plugins;

[assembly: ErniePlugin(typeof(Ernie.Samplers.Dry.DryPlugin), PluginContract.Version)]

namespace Ernie.Samplers.Dry;

/// <summary>Registers <see cref="DrySampler"/>.</summary>
public sealed class DryPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddSampler(new DrySampler());
    }
}
