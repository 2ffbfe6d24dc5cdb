using Ernie.CachePolicies.Lru;
using Ernie.CachePolicies.Priority;
using Ernie.CachePolicies.S3Fifo;
using Ernie.CachePolicies.TenantQuota;
using Ernie.Caching;
using Ernie.Hosting;
using Ernie.Plugins;
using Ernie.Sampling;

namespace Ernie.CachePolicies.Tests.Shipped;

/// <summary>The shipped policies beside the default one, as their plugins register them.</summary>
internal sealed class ShippedPolicies : IPluginRegistry
{
    private readonly Dictionary<string, Func<CachePolicyOptions, ICachePolicy>> _factories = [];

    private ShippedPolicies()
    {
        IPlugin[] plugins = [new LruPlugin(), new S3FifoPlugin(), new PriorityPlugin(), new TenantQuotaPlugin()];
        foreach (IPlugin plugin in plugins)
        {
            plugin.Register(this);
        }
    }

    public static IReadOnlyDictionary<string, Func<CachePolicyOptions, ICachePolicy>> ByName { get; } = new ShippedPolicies()._factories;

    public static TheoryData<string> Names => [.. ByName.Keys];

    public static ICachePolicy Create(string name, int pageCount, int tokensPerPage, TimeProvider? clock = null, params string[] settings) =>
        ByName[name](new CachePolicyOptions(pageCount, tokensPerPage)
        {
            Clock = clock ?? TimeProvider.System,
            Settings = settings.Select(setting => setting.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]),
        });

    public void AddSampler(ISampler sampler) => Assert.Fail("not a cache policy");

    public void AddCachePolicy(string name, Func<CachePolicyOptions, ICachePolicy> create) => _factories.Add(name, create);

    public void AddHost(IEngineHost host) => Assert.Fail("not a cache policy");
}
