using Ernie.Plugins;
using Ernie.Sampling;

[assembly: ErniePlugin(typeof(TestPlugins.KernelLoopsForever.Plugin), PluginContract.Version)]

namespace TestPlugins.KernelLoopsForever;

// Its device form does not end.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new FirstTokenSampler("loops-forever", 0, DeviceSnippet.FromResource(typeof(Plugin), "LoopsForever", "form.cuh")));
    }
}
