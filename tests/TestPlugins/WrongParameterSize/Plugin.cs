using Ernie.Plugins;
using Ernie.Sampling;

[assembly: ErniePlugin(typeof(TestPlugins.WrongParameterSize.Plugin), PluginContract.Version)]

namespace TestPlugins.WrongParameterSize;

// Its parameter block is larger than a row may have.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new FirstTokenSampler("large-parameters", SamplerLimits.MaxParameterBytes + 1));
    }
}
