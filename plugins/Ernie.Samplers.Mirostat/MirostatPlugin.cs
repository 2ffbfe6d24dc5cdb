using Ernie.Plugins;

[assembly: ErniePlugin(typeof(Ernie.Samplers.Mirostat.MirostatPlugin), PluginContract.Version)]

namespace Ernie.Samplers.Mirostat;

/// <summary>Registers <see cref="MirostatSampler"/>.</summary>
public sealed class MirostatPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddSampler(new MirostatSampler());
    }
}
