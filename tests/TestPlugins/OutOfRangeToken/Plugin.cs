using Ernie.Plugins;
using Ernie.Sampling;

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

public sealed class BeyondSampler() : FirstTokenSampler("out-of-range")
{
    public override int Sample(ref SamplingRow row) => row.Logits.Length;
}

public sealed class NegativeSampler() : FirstTokenSampler("negative")
{
    public override int Sample(ref SamplingRow row) => -1;
}
