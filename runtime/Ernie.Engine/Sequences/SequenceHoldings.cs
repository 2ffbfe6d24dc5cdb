using Ernie.Caching;

namespace Ernie.Engine.Sequences;

/// <summary>What a sequence occupies while it runs. Given and taken by its memory.</summary>
internal sealed class SequenceHoldings
{
    /// <summary>Request slot; −1 while it has none.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>Pages in its row of the page table.</summary>
    public int PageCount { get; set; }

    /// <summary>The prefix it has pinned: the first <see cref="PrefixLease.PageCount"/> of its pages belong to the cache.</summary>
    public PrefixLease Lease { get; set; }

    /// <summary>Full pages that the cache has been offered since the admission.</summary>
    public int OfferedPages { get; set; }
}
