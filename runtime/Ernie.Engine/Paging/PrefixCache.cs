using Ernie.Caching;

namespace Ernie.Engine.Paging;

/// <summary>
/// The engine's side of a cache policy. It checks every answer against the pool, so that a wrong policy costs the cache,
/// never a request: at the first wrong answer the cache is switched off and its pages go back to the pool.
/// </summary>
internal sealed class PrefixCache
{
    private readonly ICachePolicy? _policy;
    private readonly PagePool _pool;
    private readonly PagePins _pins;
    private readonly PageId[] _scratch;
    private readonly int _tokensPerPage;
    private readonly Action<string>? _warn;
    private bool _broken;

    /// <summary>Wraps a policy.</summary>
    /// <param name="policy">The policy; null switches caching off.</param>
    /// <param name="pool">The pages.</param>
    /// <param name="tokensPerPage">Tokens in a page.</param>
    /// <param name="maxPagesPerSequence">Pages of the longest sequence.</param>
    /// <param name="warn">Receives one line when the policy breaks its contract.</param>
    public PrefixCache(ICachePolicy? policy, PagePool pool, int tokensPerPage, int maxPagesPerSequence, Action<string>? warn)
    {
        _policy = policy;
        _pool = pool;
        _pins = new PagePins(pool.PageCount);
        _scratch = new PageId[Math.Max(maxPagesPerSequence, 1)];
        _tokensPerPage = tokensPerPage;
        _warn = warn;
    }

    /// <summary>Whether prefixes are reused.</summary>
    public bool Enabled => _policy is not null && !_broken;

    /// <summary>Pages that could be freed now.</summary>
    public int EvictablePages => Enabled ? _policy!.EvictablePages : 0; // Enabled implies a policy.

    /// <summary>Pins the longest cached prefix.</summary>
    /// <param name="key">The request's tokens and metadata.</param>
    /// <param name="pages">Receives the pages; its length bounds the match.</param>
    public PrefixLease Acquire(in PrefixKey key, Span<PageId> pages)
    {
        if (!Enabled || pages.IsEmpty)
        {
            return default;
        }

        try
        {
            PrefixLease lease = _policy!.Acquire(in key, pages); // Enabled implies a policy.
            if (lease.PageCount < 0 || lease.PageCount > pages.Length)
            {
                Break($"leased {lease.PageCount} pages where {pages.Length} were asked for");
                return default;
            }

            for (int i = 0; i < lease.PageCount; i++)
            {
                if ((uint)pages[i].Index >= (uint)_pool.PageCount || _pool.State(pages[i]) != PageState.Cache)
                {
                    Break($"leased page {pages[i].Index}, which it does not own");
                    return default;
                }
            }

            _pins.Pin(pages[..lease.PageCount]);
            return lease;
        }
#pragma warning disable CA1031 // A plugin's exception costs the cache, not the engine.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Break($"threw {e.GetType().Name}: {e.Message}");
            return default;
        }
    }

    /// <summary>Offers a sequence's full pages, and pins what the cache then holds of them in the sequence's place.</summary>
    /// <param name="key">Tokens of the full pages, and metadata.</param>
    /// <param name="pages">The full pages; replaced where the cache held equal ones.</param>
    /// <param name="lease">The sequence's lease; replaced.</param>
    /// <param name="lastStep">Number of the last step begun, which may still read a replaced page.</param>
    public void Insert(in PrefixKey key, Span<PageId> pages, ref PrefixLease lease, long lastStep)
    {
        if (!Enabled)
        {
            return;
        }

        try
        {
            InsertResult result = _policy!.Insert(in key, pages); // Enabled implies a policy.
            if (!TakeAdopted(result, pages))
            {
                return;
            }

            int held = result.AlreadyCached + result.Adopted;
            if (held <= lease.PageCount)
            {
                return;
            }

            Span<PageId> cached = _scratch.AsSpan(0, held);
            ReadOnlySpan<PageId> adopted = pages[result.AlreadyCached..held];
            _pins.Pin(adopted);
            PrefixLease longer = Acquire(in key, cached);
            _pins.Unpin(adopted);

            if (_broken || longer.PageCount < held
                || !cached[..lease.PageCount].SequenceEqual(pages[..lease.PageCount])
                || !cached[result.AlreadyCached..].SequenceEqual(adopted))
            {
                TakeBack(adopted, cached[..longer.PageCount]);
                return;
            }

            for (int i = lease.PageCount; i < longer.PageCount; i++)
            {
                if (cached[i] != pages[i])
                {
                    _pool.ReturnAfter(pages[i], lastStep);
                    pages[i] = cached[i];
                }
            }

            PrefixLease shorter = lease;
            lease = longer;
            Release(shorter, pages[..shorter.PageCount]);
        }
#pragma warning disable CA1031 // A plugin's exception costs the cache, not the engine.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Break($"threw {e.GetType().Name}: {e.Message}");
        }
    }

    /// <summary>Ends a lease.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="pages">Its pages.</param>
    public void Release(PrefixLease lease, ReadOnlySpan<PageId> pages)
    {
        _pins.Unpin(pages);
        if (_broken)
        {
            TakeUnpinned(pages);
            return;
        }

        try
        {
            _policy?.Release(lease);
            _pool.NoteReturn();
        }
#pragma warning disable CA1031 // A plugin's exception costs the cache, not the engine.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Break($"threw {e.GetType().Name}: {e.Message}");
        }
    }

    /// <summary>Moves unpinned pages to the pool.</summary>
    /// <param name="count">Pages wanted.</param>
    /// <returns>Pages freed.</returns>
    public int Evict(int count)
    {
        int freed = 0;
        while (freed < count && Enabled)
        {
            Span<PageId> pages = _scratch.AsSpan(0, Math.Min(count - freed, _scratch.Length));
            int written;
            try
            {
                written = _policy!.Evict(pages); // Enabled implies a policy.
            }
#pragma warning disable CA1031 // A plugin's exception costs the cache, not the engine.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Break($"threw {e.GetType().Name}: {e.Message}");
                break;
            }

            if (written <= 0)
            {
                break;
            }

            foreach (PageId page in pages[..Math.Min(written, pages.Length)])
            {
                if ((uint)page.Index >= (uint)_pool.PageCount || _pool.State(page) != PageState.Cache || _pins[page] != 0)
                {
                    Break($"gave back page {page.Index}, which is pinned or not its own");
                    return freed;
                }

                _pool.TakeFromCache(page);
                freed++;
            }
        }

        return freed;
    }

    /// <summary>What is not where it belongs while no sequence runs; null when everything is.</summary>
    public string? FindMisplaced()
    {
        int pinned = _pins.First;
        if (pinned >= 0)
        {
            return $"page {pinned} has {_pins[new PageId(pinned)]} leases that no sequence holds";
        }

        int given = _pool.Count(PageState.Cache);
        if (!Enabled)
        {
            return given == 0 ? null : $"{given} pages belong to a cache that is off";
        }

        // Enabled implies a policy.
        int cached = _policy!.CachedPages, evictable = EvictablePages;
        return cached != given ? $"cache policy '{_policy.Name}' says that it has {cached} pages, and was given {given}"
            : evictable != cached ? $"cache policy '{_policy.Name}' says that {evictable} of its {cached} pages can be evicted, and no lease is out"
            : null;
    }

    private bool TakeAdopted(InsertResult result, ReadOnlySpan<PageId> pages)
    {
        int end = result.AlreadyCached + result.Adopted;
        if (result.AlreadyCached < 0 || result.Adopted < 0 || end > pages.Length)
        {
            Break($"took {result.AlreadyCached} + {result.Adopted} of {pages.Length} pages");
            return false;
        }

        foreach (PageId page in pages[result.AlreadyCached..end])
        {
            if (_pool.State(page) != PageState.Sequence)
            {
                Break($"adopted page {page.Index}, which it owns already");
                return false;
            }
        }

        foreach (PageId page in pages[result.AlreadyCached..end])
        {
            _pool.GiveToCache(page);
        }

        return true;
    }

    // The policy adopted pages that it then did not lease as it should: without a pin they could be evicted under their sequence.
    private void TakeBack(ReadOnlySpan<PageId> adopted, ReadOnlySpan<PageId> leased)
    {
        _pins.Unpin(leased);
        foreach (PageId page in adopted)
        {
            _pool.TakeBack(page);
        }

        Break($"adopted {adopted.Length} pages and leased {leased.Length}, not those of the sequence");
    }

    private void Break(string problem)
    {
        if (_broken)
        {
            return;
        }

        _broken = true;
        _warn?.Invoke($"ERN4009: cache policy '{_policy!.Name}' {problem}; prefix caching is off from here on."); // Only a policy breaks.
        for (int i = 0; i < _pool.PageCount; i++)
        {
            TakeUnpinned([new PageId(i)]);
        }
    }

    // Nobody evicts any more: pages go back to the pool when the last lease lets them go.
    private void TakeUnpinned(ReadOnlySpan<PageId> pages)
    {
        foreach (PageId page in pages)
        {
            if (_pins[page] == 0 && _pool.State(page) == PageState.Cache)
            {
                _pool.TakeFromCache(page);
            }
        }
    }
}
