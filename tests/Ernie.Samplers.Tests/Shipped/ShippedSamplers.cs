using Ernie.Caching;
using Ernie.Hosting;
using Ernie.Plugins;
using Ernie.Samplers.Cutoff;
using Ernie.Samplers.Dry;
using Ernie.Samplers.MinP;
using Ernie.Samplers.Mirostat;
using Ernie.Samplers.Rejection;
using Ernie.Samplers.TopNSigma;
using Ernie.Samplers.Typical;
using Ernie.Samplers.Xtc;
using Ernie.Sampling;

namespace Ernie.Samplers.Tests.Shipped;

/// <summary>The shipped samplers that truncate with the shared core, as their plugins register them.</summary>
internal sealed class ShippedSamplers : IPluginRegistry
{
    private readonly Dictionary<string, ISampler> _samplers = [];

    private ShippedSamplers()
    {
        IPlugin[] plugins =
        [
            new RejectionPlugin(), new MinPPlugin(), new TypicalPlugin(), new CutoffPlugin(), new TopNSigmaPlugin(),
            new XtcPlugin(), new MirostatPlugin(), new DryPlugin(),
        ];
        foreach (IPlugin plugin in plugins)
        {
            plugin.Register(this);
        }
    }

    public static IReadOnlyDictionary<string, ISampler> ByName { get; } = new ShippedSamplers()._samplers;

    public static TheoryData<string> Names => [.. ByName.Keys];

    public void AddSampler(ISampler sampler) => _samplers.Add(sampler.Name, sampler);

    public void AddCachePolicy(string name, Func<CachePolicyOptions, ICachePolicy> create) => Assert.Fail("not a sampler");

    public void AddHost(IEngineHost host) => Assert.Fail("not a sampler");
}
