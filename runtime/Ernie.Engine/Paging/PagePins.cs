using Ernie.Caching;

namespace Ernie.Engine.Paging;

/// <summary>How many leases hold each page: a page with any is not evicted.</summary>
internal sealed class PagePins(int pageCount)
{
    private readonly int[] _leases = new int[pageCount];

    /// <summary>The first page that a lease holds, or −1.</summary>
    public int First => _leases.AsSpan().IndexOfAnyExcept(0);

    /// <summary>Leases that hold a page.</summary>
    public int this[PageId page] => _leases[page.Index];

    /// <summary>A lease takes hold of pages.</summary>
    public void Pin(ReadOnlySpan<PageId> pages)
    {
        foreach (PageId page in pages)
        {
            _leases[page.Index]++;
        }
    }

    /// <summary>A lease lets pages go.</summary>
    public void Unpin(ReadOnlySpan<PageId> pages)
    {
        foreach (PageId page in pages)
        {
            _leases[page.Index]--;
        }
    }
}
