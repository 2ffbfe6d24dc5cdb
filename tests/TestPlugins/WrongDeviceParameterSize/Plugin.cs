using Ernie.Plugins;
using Ernie.Sampling;

[assembly: ErniePlugin(typeof(TestPlugins.WrongDeviceParameterSize.Plugin), PluginContract.Version)]

namespace TestPlugins.WrongDeviceParameterSize;

// Its device form has other parameters than the host writes.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new FirstTokenSampler("wrong-device-size", 16, DeviceSnippet.FromResource(typeof(Plugin), "WrongSize", "form.cuh")));
    }
}
