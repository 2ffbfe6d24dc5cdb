using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.ThrowsOnRegister.Plugin), PluginContract.Version)]

namespace TestPlugins.ThrowsOnRegister;

// Fails while it registers.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        throw new System.NotSupportedException("no licence for this machine");
    }
}
