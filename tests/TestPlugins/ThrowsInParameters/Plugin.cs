using System;
using Ernie.Sampling;
using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.ThrowsInParameters.Plugin), PluginContract.Version)]

namespace TestPlugins.ThrowsInParameters;

// Fails on a request's parameters, and not with the exception that refuses them.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new ThrowingSampler());
    }
}

public sealed class ThrowingSampler : ISampler
{
    public string Name => "throws-in-parameters";

    public int ParameterBytes => 0;

    public DeviceSnippet? Device => null;

    public void WriteParameters(SamplingOptions options, Span<byte> destination)
    {
        throw new InvalidOperationException("cannot read options");
    }

    public int Sample(ref SamplingRow row)
    {
        return 0;
    }
}
