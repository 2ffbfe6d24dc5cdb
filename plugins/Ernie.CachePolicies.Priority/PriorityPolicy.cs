using System.Numerics;
using Ernie.Caching;
using Ernie.Caching.Toolkit;

namespace Ernie.CachePolicies.Priority;

/// <summary>
/// Pages whose time to live is over go first and are not found any more; then pages of the lowest priority; within one
/// priority, the page used longest ago. A page has the highest priority of the requests that used it.
/// </summary>
/// <remarks>Priorities are held to [−16, 15]; beyond, they are equal to the ends. A request's use of a page is also a use of all
/// pages before it, so neither time nor priority ever favours a continuation over what it continues.</remarks>
internal sealed class PriorityPolicy : PrefixCachePolicy
{
    public const string PolicyName = "priority-ttl";

    private const int LowestPriority = -16, LevelCount = 32;
    private const int ByUse = 0;
    private const string TimeToLiveSetting = "ttl-seconds";

    private readonly TimeProvider _clock;
    private readonly TimeSpan _timeToLive;
    private readonly long[] _usedAt;
    private readonly byte[] _level;
    private readonly PageQueues _byUse;
    private readonly PageQueues _byLevel;
    private uint _levelsWithPages;
    private long _now;

    public PriorityPolicy(CachePolicyOptions options)
        : base(PolicyName, options)
    {
        PolicySettings.RefuseOthers(options, PolicyName, name => name == TimeToLiveSetting);
        _clock = options.Clock;
        _timeToLive = TimeSpan.FromSeconds(PolicySettings.Number(options, TimeToLiveSetting, fallback: 3600, 0, 1e9));
        _usedAt = new long[options.PageCount];
        _level = new byte[options.PageCount];
        _byUse = new PageQueues(options.PageCount, queueCount: 1);
        _byLevel = new PageQueues(options.PageCount, LevelCount);
    }

    protected override void BeginCall() => _now = _clock.GetTimestamp();

    protected override bool IsUsable(int page) => !IsExpired(page);

    protected override void OnAdopted(int page, in PrefixKey key) => _level[page] = LevelOf(key.Priority);

    protected override void OnHit(int page, in PrefixKey key) => Raise(page, LevelOf(key.Priority));

    protected override void OnOffered(int page, in PrefixKey key) => Raise(page, LevelOf(key.Priority));

    protected override void OnPinned(int page) => Unlink(page);

    protected override void OnIdle(int page)
    {
        Unlink(page);
        _usedAt[page] = _now;
        _byUse.Append(ByUse, page);
        _byLevel.Append(_level[page], page);
        _levelsWithPages |= 1u << _level[page];
    }

    protected override int SelectVictim()
    {
        int oldest = _byUse.First(ByUse);
        return IsExpired(oldest) ? oldest : _byLevel.First(BitOperations.TrailingZeroCount(_levelsWithPages));
    }

    protected override void OnEvicted(int page) => Unlink(page);

    private static byte LevelOf(int priority) =>
        (byte)(Math.Clamp(priority, LowestPriority, LowestPriority + LevelCount - 1) - LowestPriority);

    private bool IsExpired(int page) => _clock.GetElapsedTime(_usedAt[page], _now) >= _timeToLive;

    private void Raise(int page, byte level)
    {
        if (level > _level[page])
        {
            Unlink(page);
            _level[page] = level;
        }
    }

    private void Unlink(int page)
    {
        if (!_byUse.Contains(page))
        {
            return;
        }

        _byUse.Remove(ByUse, page);
        _byLevel.Remove(_level[page], page);
        if (_byLevel.Length(_level[page]) == 0)
        {
            _levelsWithPages &= ~(1u << _level[page]);
        }
    }
}
