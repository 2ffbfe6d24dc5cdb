using Ernie.Plugins;
using Ernie.Template;

[assembly: ErniePlugin(typeof(CustomSamplerPlugin), PluginContract.Version)]

namespace Ernie.Template;

/// <summary>Entry of the plugin.</summary>
public sealed class CustomSamplerPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry) => registry.AddSampler(new CustomSampler());
}
