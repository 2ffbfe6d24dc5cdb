using System;
using Ernie.Sampling;
using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.ThrowsInSample.Plugin), PluginContract.Version)]

namespace TestPlugins.ThrowsInSample;

// Fails while it draws.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new ThrowingSampler());
    }
}

public sealed class ThrowingSampler : ISampler
{
    public string Name => "throws-in-sample";

    public int ParameterBytes => 0;

    public DeviceSnippet? Device => null;

    public void WriteParameters(SamplingOptions options, Span<byte> destination)
    {
    }

    public int Sample(ref SamplingRow row)
    {
        throw new InvalidOperationException("lost my dice");
    }
}
