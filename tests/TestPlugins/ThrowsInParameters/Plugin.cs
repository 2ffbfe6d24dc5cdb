using System;
using Ernie.Plugins;
using Ernie.Sampling;

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

public sealed class ThrowingSampler() : FirstTokenSampler("throws-in-parameters")
{
    public override void WriteParameters(SamplingOptions options, Span<byte> destination) => throw new InvalidOperationException("cannot read options");
}
