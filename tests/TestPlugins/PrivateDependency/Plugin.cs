using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.PrivateDependency.Plugin), PluginContract.Version)]

namespace TestPlugins.PrivateDependency;

// Works: ships its own version 1 of a library of which others ship version 2.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new FirstTokenSampler(TestPlugins.Library.Names.First()));
    }
}
