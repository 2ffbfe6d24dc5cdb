using Ernie.Plugins;
using Ernie.Template;

[assembly: ErniePlugin(typeof(CustomHostPlugin), PluginContract.Version)]

namespace Ernie.Template;

/// <summary>Entry of the plugin.</summary>
public sealed class CustomHostPlugin : IPlugin
{
    /// <inheritdoc/>
    public void Register(IPluginRegistry registry) => registry.AddHost(new CustomHost(Console.In, Console.Out));
}
