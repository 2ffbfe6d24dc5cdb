using Ernie.Plugins;
using Ernie.Sampling;

[assembly: ErniePlugin(typeof(TestPlugins.KernelDoesNotCompile.Plugin), PluginContract.Version)]

namespace TestPlugins.KernelDoesNotCompile;

public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry) => registry.AddSampler(new FirstSampler());
}

/// <summary>The first token, on the host.</summary>
public sealed class FirstSampler : ISampler
{
    public string Name => "misspelt";

    public int ParameterBytes => 16;

    public DeviceSnippet? Device { get; } = DeviceSnippet.FromResource(typeof(FirstSampler), "Misspelt", "form.cuh");

    public void WriteParameters(SamplingOptions options, Span<byte> destination) => destination.Clear();

    public int Sample(ref SamplingRow row) => 0;
}
