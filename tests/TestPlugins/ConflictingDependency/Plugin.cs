using System;
using Ernie.Sampling;
using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.ConflictingDependency.Plugin), PluginContract.Version)]

namespace TestPlugins.ConflictingDependency;

// Calls what its library has in version 2, and ships version 1.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddSampler(new Named(TestPlugins.Library.Names.Second()));
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
