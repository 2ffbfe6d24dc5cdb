using System;
using Ernie.Plugins;
using Ernie.Sampling;

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

public sealed class ThrowingSampler() : FirstTokenSampler("throws-in-sample")
{
    public override int Sample(ref SamplingRow row) => throw new InvalidOperationException("lost my dice");
}
