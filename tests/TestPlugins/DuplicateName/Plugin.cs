using System;
using Ernie.Sampling;
using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.DuplicateName.Plugin), PluginContract.Version)]

namespace TestPlugins.DuplicateName;

// Takes the name of the standard sampler.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new SecondStandard());
    }
}

public sealed class SecondStandard : ISampler
{
    public string Name => "standard";

    public int ParameterBytes => 0;

    public DeviceSnippet? Device => null;

    public void WriteParameters(SamplingOptions options, Span<byte> destination)
    {
    }

    public int Sample(ref SamplingRow row)
    {
        return 0;
    }
}
