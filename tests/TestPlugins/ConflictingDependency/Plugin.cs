using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.ConflictingDependency.Plugin), PluginContract.Version)]

namespace TestPlugins.ConflictingDependency;

// Calls what its library has in version 2, and ships version 1.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new FirstTokenSampler(TestPlugins.Library.Names.Second()));
    }
}
