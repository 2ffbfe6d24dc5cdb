using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.WrongContract.Plugin), 999)]

namespace TestPlugins.WrongContract;

// Says in its manifest that it was built against another contract; its code must not run.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        throw new System.InvalidOperationException("a plugin of another contract was run");
    }
}
