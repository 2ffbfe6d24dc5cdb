using Ernie.Caching;
using Ernie.Hosting;
using Ernie.Plugins;
using Ernie.Samplers.Cutoff;
using Ernie.Samplers.Dry;
using Ernie.Samplers.MinP;
using Ernie.Samplers.Mirostat;
using Ernie.Samplers.Rejection;
using Ernie.Samplers.Standard;
using Ernie.Samplers.TopNSigma;
using Ernie.Samplers.Typical;
using Ernie.Samplers.Xtc;
using Ernie.Sampling;

namespace Ernie.Testing.Samplers;

/// <summary>The shipped samplers, all of which have a device form, in one kernel.</summary>
internal sealed class ShippedDeviceForms : IPluginRegistry
{
    private readonly List<ISampler> _samplers = [];

    private ShippedDeviceForms()
    {
        IPlugin[] plugins =
        [
            new StandardPlugin(), new RejectionPlugin(), new MinPPlugin(), new TypicalPlugin(), new CutoffPlugin(), new TopNSigmaPlugin(),
            new XtcPlugin(), new MirostatPlugin(), new DryPlugin(),
        ];
        foreach (IPlugin plugin in plugins)
            plugin.Register(this);
    }

    public static IReadOnlyList<ISampler> All { get; } = new ShippedDeviceForms()._samplers;

    public static TheoryData<string> Names => [.. All.Select(sampler => sampler.Name)];

    public static ISampler Named(string name) => All.First(sampler => sampler.Name == name);

    /// <summary>Requests worth trying, with the sampler's own fields off their defaults in some.</summary>
    public static IReadOnlyList<SamplingOptions> Requests(string name)
    {
        (string Field, double Value)[] own = name switch
        {
            "typical" => [("typical_p", 0.4)],
            "epsilon-cutoff" => [("epsilon_cutoff", 0.01)],
            "eta-cutoff" => [("eta_cutoff", 0.02)],
            "top-n-sigma" => [("top_n_sigma", 2.5)],
            "xtc" => [("xtc_threshold", 0.02), ("xtc_probability", 0.7)],
            "mirostat-2" => [("mirostat_tau", 3)],
            "dry" => [("dry_multiplier", 2)],
            _ => [],
        };
        Dictionary<string, double> extra = own.ToDictionary(pair => pair.Field, pair => pair.Value);
        return
        [
            new(), new() { Temperature = 0.8f, TopP = 0.8f }, new() { TopK = 50 }, new() { Temperature = 0.7f, TopK = 20, TopP = 0.9f },
            new() { MinP = 0.05f }, new() { Temperature = 1.5f, TopK = 4096, TopP = 0.5f }, new() { Temperature = 5, TopP = 0.999f }, SamplingOptions.Greedy,
            new() { Extra = extra }, new() { Temperature = 1.2f, TopK = 300, TopP = 0.95f, MinP = 0.001f, Extra = extra },
        ];
    }

    public void AddSampler(ISampler sampler) => _samplers.Add(sampler);

    public void AddCachePolicy(string name, Func<CachePolicyOptions, ICachePolicy> create) => Assert.Fail("not a sampler");

    public void AddHost(IEngineHost host) => Assert.Fail("not a sampler");
}
