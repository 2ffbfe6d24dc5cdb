using System;
using Ernie.Sampling;
using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.PrivateDependency.Plugin), PluginContract.Version)]

namespace TestPlugins.PrivateDependency;

// Works: ships its own version 1 of a library of which others ship version 2.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new Named(TestPlugins.Library.Names.First()));
    }
}

public sealed class Named(string name) : ISampler
{
    public string Name => name;

    public int ParameterBytes => 0;

    public DeviceSnippet? Device => null;

    public void WriteParameters(SamplingOptions options, Span<byte> destination)
    {
    }

    public int Sample(ref SamplingRow row) => 0;
}
