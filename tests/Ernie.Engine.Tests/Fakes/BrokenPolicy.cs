using Ernie.Caching;

namespace Ernie.Engine.Tests.Fakes;

/// <summary>A policy that breaks its contract in one way, after working for a while.</summary>
public sealed class BrokenPolicy(ICachePolicy inner, BrokenPolicy.Fault fault) : ICachePolicy
{
    private int _calls;
    private PageId _pinned = new(-1);

    public enum Fault
    {
        ThrowsInAcquire,
        ThrowsInInsert,
        ThrowsInEvict,
        EvictsPinned,
        LeasesForeign,
        AdoptsTooMany,
        ForgetsWhatItAdopted,
        PromisesPages,
        KeepsPins,
        MiscountsPages,
    }

    public string Name => "broken";

    public int CachedPages => inner.CachedPages + (fault == Fault.MiscountsPages && inner.CachedPages > 0 ? 1 : 0);

    public int EvictablePages => inner.EvictablePages + (inner.EvictablePages == 0 ? 0 : fault switch
    {
        Fault.PromisesPages => 1,
        Fault.KeepsPins => -1,
        _ => 0,
    });

    private bool Now => ++_calls > 9;

    public PrefixLease Acquire(in PrefixKey key, Span<PageId> pages)
    {
        if (fault == Fault.ThrowsInAcquire && Now)
        {
            throw new InvalidOperationException("broken on purpose");
        }

        if (fault == Fault.LeasesForeign && Now && pages.Length > 0)
        {
            // A page that nobody gave it, or one beyond the pool.
            pages[0] = new PageId(24);
            return new PrefixLease(99, 1);
        }

        if (fault == Fault.ForgetsWhatItAdopted && Now)
        {
            return default;
        }

        PrefixLease lease = inner.Acquire(in key, pages);
        _pinned = lease.PageCount > 0 ? pages[0] : _pinned;
        return lease;
    }

    public InsertResult Insert(in PrefixKey key, ReadOnlySpan<PageId> pages)
    {
        if (fault == Fault.ThrowsInInsert && Now)
        {
            throw new InvalidOperationException("broken on purpose");
        }

        InsertResult result = inner.Insert(in key, pages);
        return fault == Fault.AdoptsTooMany && Now ? new InsertResult(0, pages.Length + 1) : result;
    }

    public void Release(PrefixLease lease) => inner.Release(lease);

    public int Evict(Span<PageId> freed)
    {
        if (fault == Fault.ThrowsInEvict)
        {
            throw new InvalidOperationException("broken on purpose");
        }

        int count = inner.Evict(freed);
        if (fault == Fault.EvictsPinned && _pinned.Index >= 0 && count > 0)
        {
            freed[0] = _pinned;
        }

        return count;
    }
}
