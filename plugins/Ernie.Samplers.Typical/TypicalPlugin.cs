using Ernie.Plugins;

[assembly: ErniePlugin(typeof(Ernie.Samplers.Typical.TypicalPlugin), PluginContract.Version)]

namespace Ernie.Samplers.Typical;

/// <summary>Registers <see cref="TypicalSampler"/>.</summary>
public sealed class TypicalPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddSampler(new TypicalSampler());
    }
}
