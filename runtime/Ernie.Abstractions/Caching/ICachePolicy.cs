namespace Ernie.Caching;

/// <summary>
/// Decides which full pages of past sequences stay reusable. Called on the engine's thread only.
/// The cache owns a page from <see cref="Insert"/> to <see cref="Evict"/>; a page under a lease is pinned.
/// </summary>
public interface ICachePolicy
{
    /// <summary>Name by which a server chooses it.</summary>
    string Name { get; }

    /// <summary>Pages the cache owns.</summary>
    int CachedPages { get; }

    /// <summary>Cached pages under no lease: what <see cref="Evict"/> could free now.</summary>
    int EvictablePages { get; }

    /// <summary>Finds the longest cached prefix in whole pages and pins it.</summary>
    /// <param name="key">Tokens and metadata of the request; only whole pages of the tokens are looked at.</param>
    /// <param name="pages">Receives the pages in order; its length bounds the match.</param>
    /// <returns>A lease to release once; its <see cref="PrefixLease.PageCount"/> pages were written.</returns>
    PrefixLease Acquire(in PrefixKey key, Span<PageId> pages);

    /// <summary>Offers a sequence's full pages.</summary>
    /// <param name="key">Tokens and metadata; at least <c>pages.Length</c> × tokens per page tokens.</param>
    /// <param name="pages">Pages of the sequence from its first token on, pages of its lease included.</param>
    /// <returns>Which of them the cache held already and which it took; the rest stay the caller's.</returns>
    InsertResult Insert(in PrefixKey key, ReadOnlySpan<PageId> pages);

    /// <summary>Unpins what <see cref="Acquire"/> pinned.</summary>
    /// <param name="lease">A lease of this policy, not released before; an empty lease is ignored.</param>
    void Release(PrefixLease lease);

    /// <summary>Gives unpinned pages back.</summary>
    /// <param name="freed">Receives the pages; the cache forgets them.</param>
    /// <returns>Pages written: <c>min(freed.Length, EvictablePages)</c>.</returns>
    int Evict(Span<PageId> freed);
}

/// <summary>A page of the key/value cache by index in the pool.</summary>
/// <param name="Index">Zero-based.</param>
public readonly record struct PageId(int Index);

/// <summary>A pinned prefix.</summary>
/// <param name="Handle">The policy's own; 0 means nothing is pinned.</param>
/// <param name="PageCount">Pages pinned, from the sequence's first token on.</param>
public readonly record struct PrefixLease(long Handle, int PageCount);

/// <summary>Outcome of an insertion.</summary>
/// <param name="AlreadyCached">Leading pages whose tokens the cache held before, whether in these pages or in others.</param>
/// <param name="Adopted">Pages after those that now belong to the cache.</param>
public readonly record struct InsertResult(int AlreadyCached, int Adopted);

/// <summary>What a prefix is looked up by.</summary>
public readonly ref struct PrefixKey
{
    /// <summary>The sequence's token ids.</summary>
    public ReadOnlySpan<int> Tokens { get; init; }

    /// <summary>Separates caches of callers that must not share: equal tokens under different salts never match.</summary>
    public ulong Salt { get; init; }

    /// <summary>The request's priority; larger is more important.</summary>
    public int Priority { get; init; }

    /// <summary>Number of the tenant (API key) the request belongs to; 0 when there are no tenants.</summary>
    public int Tenant { get; init; }
}

/// <summary>What a cache policy is created with.</summary>
/// <param name="PageCount">Pages in the pool.</param>
/// <param name="TokensPerPage">Tokens in a page.</param>
public sealed record CachePolicyOptions(int PageCount, int TokensPerPage)
{
    /// <summary>Clock for policies with times to live.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Further settings by name (<c>--cache-policy-option name=value</c>).</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
