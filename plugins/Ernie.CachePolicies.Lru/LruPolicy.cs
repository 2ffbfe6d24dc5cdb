using Ernie.Caching;
using Ernie.Caching.Toolkit;

namespace Ernie.CachePolicies.Lru;

/// <summary>Idle pages in one queue by last use; a page's continuations stand before it, so its first page is a leaf.</summary>
internal sealed class LruPolicy : PrefixCachePolicy
{
    public const string PolicyName = "lru";

    private const int Queue = 0;

    private readonly PageQueues _idle;

    public LruPolicy(CachePolicyOptions options)
        : base(PolicyName, options)
    {
        PolicySettings.RefuseOthers(options, PolicyName, _ => false);
        _idle = new PageQueues(options.PageCount, queueCount: 1);
    }

    protected override void OnPinned(int page) => _idle.Remove(Queue, page);

    protected override void OnIdle(int page) => _idle.MoveToEnd(Queue, page);

    protected override int SelectVictim() => _idle.First(Queue);

    protected override void OnEvicted(int page) => _idle.Remove(Queue, page);
}
