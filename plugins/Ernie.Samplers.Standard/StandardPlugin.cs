using Ernie.Plugins;
using Ernie.Samplers.Standard;

[assembly: ErniePlugin(typeof(StandardPlugin), PluginContract.Version)]

namespace Ernie.Samplers.Standard;

/// <summary>Entry of the plugin.</summary>
public sealed class StandardPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        registry.AddSampler(new StandardSampler());
    }
}
