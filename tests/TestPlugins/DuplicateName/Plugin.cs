using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.DuplicateName.Plugin), PluginContract.Version)]

namespace TestPlugins.DuplicateName;

// Takes the name of the standard sampler.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new FirstTokenSampler("standard"));
    }
}
