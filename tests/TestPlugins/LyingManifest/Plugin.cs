using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.LyingManifest.Plugin), 999)]

namespace TestPlugins.LyingManifest;

// Its manifest names this contract, its assembly was built against another.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        throw new System.InvalidOperationException("a plugin of another contract was run");
    }
}
