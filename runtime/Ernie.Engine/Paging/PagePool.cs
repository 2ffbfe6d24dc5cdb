using System.Diagnostics;
using System.Runtime.InteropServices;
using Ernie.Caching;

namespace Ernie.Engine.Paging;

/// <summary>Every page of the key/value cache and who owns it. Used by the loop's thread; allocates nothing after construction.</summary>
internal sealed class PagePool
{
    private readonly int[] _free;
    private readonly PageState[] _state;
    private readonly (int Page, long Step)[] _deferred;
    private int _deferredHead, _deferredCount;
    private long _completed;

    /// <summary>Makes a pool with every page free.</summary>
    /// <param name="pageCount">Pages.</param>
    public PagePool(int pageCount)
    {
        _free = new int[pageCount];
        _state = new PageState[pageCount];
        _deferred = new (int, long)[pageCount];
        for (int i = 0; i < pageCount; i++)
        {
            // The first page taken is page 0.
            _free[i] = pageCount - 1 - i;
        }

        FreeCount = pageCount;
    }

    /// <summary>Pages in all.</summary>
    public int PageCount => _free.Length;

    /// <summary>Pages nobody owns.</summary>
    public int FreeCount { get; private set; }

    /// <summary>Grows whenever pages become free; a waiting request need not try again before.</summary>
    public long Returns { get; private set; }

    /// <summary>Who owns a page.</summary>
    public PageState State(PageId page) => _state[page.Index];

    /// <summary>Takes a free page for a sequence; there is one.</summary>
    public PageId Take()
    {
        int index = _free[--FreeCount];
        Debug.Assert(_state[index] == PageState.Free);
        _state[index] = PageState.Sequence;
        return new PageId(index);
    }

    /// <summary>A sequence gives a page back.</summary>
    public void Return(PageId page)
    {
        Debug.Assert(_state[page.Index] == PageState.Sequence);
        MakeFree(page);
    }

    /// <summary>A sequence gives back a page that steps in flight still read.</summary>
    /// <param name="page">The page.</param>
    /// <param name="lastStep">Number of the last step begun.</param>
    public void ReturnAfter(PageId page, long lastStep)
    {
        Debug.Assert(_state[page.Index] == PageState.Sequence);
        if (lastStep <= _completed)
        {
            // No later step would come to free it while the engine is idle.
            MakeFree(page);
            return;
        }

        _deferred[(_deferredHead + _deferredCount++) % _deferred.Length] = (page.Index, lastStep);
    }

    /// <summary>Frees what waited for a step.</summary>
    /// <param name="step">Number of the step that completed.</param>
    public void StepCompleted(long step)
    {
        _completed = step;
        while (_deferredCount > 0 && _deferred[_deferredHead].Step <= step)
        {
            MakeFree(new PageId(_deferred[_deferredHead].Page));
            _deferredHead = (_deferredHead + 1) % _deferred.Length;
            _deferredCount--;
        }
    }

    /// <summary>The cache takes a sequence's page over.</summary>
    public void GiveToCache(PageId page)
    {
        Debug.Assert(_state[page.Index] == PageState.Sequence);
        _state[page.Index] = PageState.Cache;
    }

    /// <summary>A sequence keeps a page that the cache had taken over.</summary>
    public void TakeBack(PageId page)
    {
        Debug.Assert(_state[page.Index] == PageState.Cache);
        _state[page.Index] = PageState.Sequence;
    }

    /// <summary>The cache gives a page back.</summary>
    public void TakeFromCache(PageId page)
    {
        Debug.Assert(_state[page.Index] == PageState.Cache);
        MakeFree(page);
    }

    /// <summary>Pages that have become reusable without being free (a lease ended) count as returned too.</summary>
    public void NoteReturn() => Returns++;

    /// <summary>What is not where it belongs while no sequence runs; null when everything is.</summary>
    public string? FindMisplaced()
    {
        int owned = Count(PageState.Sequence), free = Count(PageState.Free);
        return owned > 0 ? $"{owned} of {PageCount} pages belong to sequences that have ended"
            : _deferredCount > 0 ? $"{_deferredCount} pages wait for steps that have ended"
            : free != FreeCount ? $"{free} of {PageCount} pages are free and {FreeCount} are listed"
            : null;
    }

    /// <summary>Pages that are owned so.</summary>
    public int Count(PageState state) => MemoryMarshal.AsBytes(_state.AsSpan()).Count((byte)state);

    private void MakeFree(PageId page)
    {
        _state[page.Index] = PageState.Free;
        _free[FreeCount++] = page.Index;
        Returns++;
    }
}
