using Ernie.Caching;
using Ernie.Caching.Toolkit;

namespace Ernie.CachePolicies.S3Fifo;

/// <summary>
/// Three static queues: a small one that new pages enter, a main one for pages that were used again, and a ghost that remembers
/// what the small one gave up. One long scan of new prompts cannot push out what many requests share.
/// </summary>
/// <remarks>
/// Source: Yang et al., "FIFO Queues are All You Need for Cache Eviction", SOSP 2023, algorithm 1. Added for prefixes: a page
/// under a lease or with cached continuations is in use, so it moves on to the main queue instead of leaving.
/// </remarks>
internal sealed class S3FifoPolicy : PrefixCachePolicy
{
    public const string PolicyName = "s3-fifo";

    private const int Small = 0, Main = 1;
    private const byte LargestFrequency = 3;    // two bits, as in the paper
    private const int SmallShare = 10;          // the small queue is held at a tenth of the cached pages

    private readonly PageQueues _queues;
    private readonly byte[] _frequency;
    private readonly bool[] _isInMain;
    private readonly GhostQueue _ghost;
    private readonly long[] _adoptedBy;
    private long _call;

    public S3FifoPolicy(CachePolicyOptions options)
        : base(PolicyName, options)
    {
        PolicySettings.RefuseOthers(options, PolicyName, _ => false);
        _queues = new PageQueues(options.PageCount, queueCount: 2);
        _frequency = new byte[options.PageCount];
        _isInMain = new bool[options.PageCount];
        _ghost = new GhostQueue(options.PageCount);
        _adoptedBy = new long[options.PageCount];
    }

    protected override void BeginCall() => _call++;

    protected override void OnAdopted(int page, in PrefixKey key)
    {
        _frequency[page] = 0;
        _adoptedBy[page] = _call;
        _isInMain[page] = _ghost.Contains(Pages.Hash(page));
        _queues.Append(_isInMain[page] ? Main : Small, page);
    }

    // A sequence leases what it offers, at once and again with every page it adds: only a lease of an idle page, and not the
    // one right after its adoption, is another request's use.
    protected override void OnHit(int page, in PrefixKey key)
    {
        if (!Pages.IsPinned(page) && _call > _adoptedBy[page] + 1)
        {
            _frequency[page] = Math.Min(LargestFrequency, (byte)(_frequency[page] + 1));
        }
    }

    protected override void OnPinned(int page)
    {
    }

    protected override void OnIdle(int page)
    {
    }

    protected override int SelectVictim()
    {
        // Pages of the main queue that cannot go; once all were met, the leaf to take is in the small queue.
        int stuck = 0;
        while (true)
        {
            bool isSmallFull = (long)_queues.Length(Small) * SmallShare >= CachedPages;
            bool takeSmall = _queues.Length(Small) > 0 && (isSmallFull || stuck >= _queues.Length(Main));
            int page = _queues.First(takeSmall ? Small : Main);
            if (Pages.IsPinned(page) || !Pages.IsLeaf(page))
            {
                stuck += takeSmall ? 0 : 1;
                MoveToMain(page);
            }
            else if (takeSmall && _frequency[page] > 1)
            {
                _frequency[page] = 0;
                MoveToMain(page);
            }
            else if (!takeSmall && _frequency[page] > 0)
            {
                _frequency[page]--;
                MoveToMain(page);
            }
            else
            {
                return page;
            }
        }
    }

    protected override void OnEvicted(int page)
    {
        if (!_isInMain[page])
        {
            _ghost.Add(Pages.Hash(page));
        }

        _queues.Remove(_isInMain[page] ? Main : Small, page);
    }

    private void MoveToMain(int page)
    {
        _queues.Remove(_isInMain[page] ? Main : Small, page);
        _isInMain[page] = true;
        _queues.Append(Main, page);
    }
}
