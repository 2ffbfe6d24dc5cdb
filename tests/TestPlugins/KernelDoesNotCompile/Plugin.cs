using Ernie.Plugins;
using Ernie.Sampling;

[assembly: ErniePlugin(typeof(TestPlugins.KernelDoesNotCompile.Plugin), PluginContract.Version)]

namespace TestPlugins.KernelDoesNotCompile;

// Its device form calls what there is not.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new FirstTokenSampler("misspelt", 16, DeviceSnippet.FromResource(typeof(Plugin), "Misspelt", "form.cuh")));
    }
}
