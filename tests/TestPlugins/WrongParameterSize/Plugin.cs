using System;
using Ernie.Sampling;
using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.WrongParameterSize.Plugin), PluginContract.Version)]

namespace TestPlugins.WrongParameterSize;

// Its parameter block is larger than a row may have.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new LargeSampler());
    }
}

public sealed class LargeSampler : ISampler
{
    public string Name => "large-parameters";

    public int ParameterBytes => SamplerLimits.MaxParameterBytes + 1;

    public DeviceSnippet? Device => null;

    public void WriteParameters(SamplingOptions options, Span<byte> destination)
    {
    }

    public int Sample(ref SamplingRow row)
    {
        return 0;
    }
}
