using System;
using Ernie.Sampling;
using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.OutOfRangeToken.Plugin), PluginContract.Version)]

namespace TestPlugins.OutOfRangeToken;

// Draws a token that the vocabulary does not have.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new BeyondSampler());
        registry.AddSampler(new NegativeSampler());
    }
}

public sealed class BeyondSampler : ISampler
{
    public string Name => "out-of-range";

    public int ParameterBytes => 0;

    public DeviceSnippet? Device => null;

    public void WriteParameters(SamplingOptions options, Span<byte> destination)
    {
    }

    public int Sample(ref SamplingRow row)
    {
        return row.Logits.Length;
    }
}

public sealed class NegativeSampler : ISampler
{
    public string Name => "negative";

    public int ParameterBytes => 0;

    public DeviceSnippet? Device => null;

    public void WriteParameters(SamplingOptions options, Span<byte> destination)
    {
    }

    public int Sample(ref SamplingRow row)
    {
        return -1;
    }
}
