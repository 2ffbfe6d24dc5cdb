namespace Ernie.Caching.Toolkit;

/// <summary>What all policies share: matching, pinning and adoption. A policy adds which idle page goes first.</summary>
/// <remarks>
/// A lease pins every page up to its last, so what continues an idle page is idle too, and an idle leaf exists whenever an
/// idle page does. Pages are reported deepest first: a queue of idle pages by last use then holds every page behind its
/// continuations, and its first page is a leaf.
/// </remarks>
public abstract class PrefixCachePolicy : ICachePolicy
{
    private readonly int _tokensPerPage;

    /// <summary>Makes an empty cache.</summary>
    /// <param name="name">Name of the policy.</param>
    /// <param name="options">Pages, tokens per page and settings.</param>
    protected PrefixCachePolicy(string name, CachePolicyOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Name = name;
        Pages = new PrefixPages(options);
        _tokensPerPage = options.TokensPerPage;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int CachedPages => Pages.Count;

    /// <inheritdoc/>
    public int EvictablePages => Pages.IdleCount;

    /// <summary>The cached pages.</summary>
    protected PrefixPages Pages { get; }

    /// <inheritdoc/>
    public PrefixLease Acquire(in PrefixKey key, Span<PageId> pages)
    {
        BeginCall();
        int count = Math.Min(pages.Length, key.Tokens.Length / _tokensPerPage);
        int page = Match(key, count, onlyUsable: true, out int matched);
        if (matched == 0)
        {
            return default;
        }

        var lease = new PrefixLease(page + 1, matched);
        for (int i = matched - 1; i >= 0; i--, page = Pages.Parent(page))
        {
            pages[i] = new PageId(page);
            OnHit(page, key);
            if (Pages.Pin(page))
            {
                OnPinned(page);
            }
        }

        return lease;
    }

    /// <inheritdoc/>
    public InsertResult Insert(in PrefixKey key, ReadOnlySpan<PageId> pages)
    {
        if (key.Tokens.Length < (long)pages.Length * _tokensPerPage)
        {
            throw new ArgumentException(
                $"{pages.Length} pages need {(long)pages.Length * _tokensPerPage} tokens and {key.Tokens.Length} were given.",
                nameof(key));
        }

        BeginCall();
        int page = Match(key, pages.Length, onlyUsable: false, out int matched);
        for (int i = matched; i < pages.Length; i++)
        {
            ReadOnlySpan<int> tokens = key.Tokens.Slice(i * _tokensPerPage, _tokensPerPage);
            Pages.Add(pages[i].Index, page, key.Salt, tokens, Pages.Chain(page, key.Salt, tokens));
            page = pages[i].Index;
        }

        for (int i = pages.Length - 1; i >= 0; i--, page = Pages.Parent(page))
        {
            if (i >= matched)
            {
                OnAdopted(page, key);
                OnIdle(page);
            }
            else
            {
                OnOffered(page, key);
                if (!Pages.IsPinned(page))
                {
                    OnIdle(page);
                }
            }
        }

        return new InsertResult(matched, pages.Length - matched);
    }

    /// <inheritdoc/>
    public void Release(PrefixLease lease)
    {
        if (lease.Handle == 0)
        {
            return;
        }

        int page = (int)lease.Handle - 1;
        if (!Pages.IsCached(page) || !Pages.IsPinned(page))
        {
            throw new InvalidOperationException($"The lease of page {page} was released before.");
        }

        BeginCall();
        for (; page != PrefixPages.None; page = Pages.Parent(page))
        {
            if (Pages.Unpin(page))
            {
                OnIdle(page);
            }
        }
    }

    /// <inheritdoc/>
    public int Evict(Span<PageId> freed)
    {
        BeginCall();
        int count = Math.Min(freed.Length, EvictablePages);
        for (int i = 0; i < count; i++)
        {
            int page = SelectVictim();
            OnEvicted(page);
            Pages.Remove(page);
            freed[i] = new PageId(page);
        }

        return count;
    }

    /// <summary>Called once before each operation, for policies that look at a clock.</summary>
    protected virtual void BeginCall()
    {
    }

    /// <summary>Whether an idle page may still be matched.</summary>
    protected virtual bool IsUsable(int page) => true;

    /// <summary>A page was taken in; <see cref="OnIdle"/> follows.</summary>
    protected virtual void OnAdopted(int page, in PrefixKey key)
    {
    }

    /// <summary>A request found the page; it is pinned next.</summary>
    protected virtual void OnHit(int page, in PrefixKey key)
    {
    }

    /// <summary>A request offered the page's tokens while they were cached; <see cref="OnIdle"/> follows unless it is pinned.</summary>
    protected virtual void OnOffered(int page, in PrefixKey key)
    {
    }

    /// <summary>A page has its first lease.</summary>
    protected abstract void OnPinned(int page);

    /// <summary>A page lost its last lease, was adopted, or was used while idle.</summary>
    protected abstract void OnIdle(int page);

    /// <summary>The idle leaf to give back next. There is one.</summary>
    protected abstract int SelectVictim();

    /// <summary>A page is about to be forgotten.</summary>
    protected abstract void OnEvicted(int page);

    private int Match(in PrefixKey key, int count, bool onlyUsable, out int matched)
    {
        int page = PrefixPages.None;
        for (matched = 0; matched < count; matched++)
        {
            ReadOnlySpan<int> tokens = key.Tokens.Slice(matched * _tokensPerPage, _tokensPerPage);
            int next = Pages.Find(page, key.Salt, tokens, Pages.Chain(page, key.Salt, tokens));
            if (next == PrefixPages.None || (onlyUsable && !Pages.IsPinned(next) && !IsUsable(next)))
            {
                break;
            }

            page = next;
        }

        return page;
    }
}
