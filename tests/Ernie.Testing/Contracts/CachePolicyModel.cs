using Ernie.Caching;
using Xunit;

namespace Ernie.Testing.Contracts;

/// <summary>Drives a policy with random operations as an engine would, and checks every answer against plain bookkeeping.</summary>
internal sealed class CachePolicyModel
{
    private readonly ICachePolicy _policy;
    private readonly int _tokensPerPage, _seed;
    private readonly Random _random;
    private readonly Stack<int> _free = new();
    private readonly Dictionary<int, string> _cached = [];
    private readonly int[] _pins;
    private readonly List<(PrefixLease Lease, PageId[] Pages)> _leases = [];
    private long _step;

    public CachePolicyModel(ICachePolicy policy, int pageCount, int tokensPerPage, int seed)
    {
        (_policy, _tokensPerPage, _seed, _random) = (policy, tokensPerPage, seed, new Random(seed));
        _pins = new int[pageCount];
        for (int i = 0; i < pageCount; i++)
        {
            _free.Push(i);
        }
    }

    /// <summary>One random operation.</summary>
    public void Step()
    {
        _step++;
        switch (_random.Next(10))
        {
            case < 4:
                Acquire();
                break;
            case < 7:
                Insert();
                break;
            case < 9:
                Release();
                break;
            default:
                Evict(_random.Next(0, 6));
                break;
        }

        Check(_policy.CachedPages == _cached.Count, $"CachedPages is {_policy.CachedPages}, the policy owns {_cached.Count}");
        int evictable = _cached.Keys.Count(page => _pins[page] == 0);
        Check(_policy.EvictablePages <= evictable, $"EvictablePages is {_policy.EvictablePages}, unpinned are {evictable}");
    }

    /// <summary>Ends every lease and evicts everything: every page must come back.</summary>
    public void Finish()
    {
        while (_leases.Count > 0)
        {
            Release();
        }

        Check(_policy.EvictablePages == _cached.Count, $"with no lease {_policy.EvictablePages} of {_cached.Count} pages are evictable");
        Evict(_pins.Length + 1);
        Check(_cached.Count == 0 && _free.Count == _pins.Length, $"{_cached.Count} pages did not come back");
    }

    private void Acquire()
    {
        (int[] tokens, ulong salt) = RandomPrefix();
        var pages = new PageId[_random.Next(0, (tokens.Length / _tokensPerPage) + 2)];
        PrefixLease lease = _policy.Acquire(new PrefixKey { Tokens = tokens, Salt = salt }, pages);
        Check(lease.PageCount >= 0 && lease.PageCount <= Math.Min(pages.Length, tokens.Length / _tokensPerPage), $"leased {lease.PageCount} pages");
        Check((lease.Handle == 0) == (lease.PageCount == 0), $"handle {lease.Handle} for {lease.PageCount} pages");
        for (int i = 0; i < lease.PageCount; i++)
        {
            int page = pages[i].Index;
            Check(_cached.TryGetValue(page, out string? content), $"leased page {page}, which it does not own");
            Check(content == Content(tokens, salt, i), $"page {page} holds another prefix");
            _pins[page]++;
        }

        if (lease.PageCount > 0)
        {
            _leases.Add((lease, pages[..lease.PageCount]));
        }
    }

    // As an engine does: pin what is there, bring own pages for the rest.
    private void Insert()
    {
        (int[] tokens, ulong salt) = RandomPrefix();
        int count = tokens.Length / _tokensPerPage;
        var pages = new PageId[count];
        var key = new PrefixKey { Tokens = tokens, Salt = salt };
        PrefixLease lease = _policy.Acquire(key, pages);
        int own = Math.Min(count - lease.PageCount, _free.Count);
        for (int i = 0; i < own; i++)
        {
            pages[lease.PageCount + i] = new PageId(_free.Pop());
        }

        int offered = lease.PageCount + own;
        InsertResult result = _policy.Insert(new PrefixKey { Tokens = tokens, Salt = salt }, pages.AsSpan(0, offered));
        Check(result.AlreadyCached >= lease.PageCount, $"{result.AlreadyCached} pages known, {lease.PageCount} were pinned");
        Check(result.Adopted >= 0 && result.AlreadyCached + result.Adopted <= offered, $"took {result} of {offered}");
        for (int i = lease.PageCount; i < offered; i++)
        {
            if (i >= result.AlreadyCached && i < result.AlreadyCached + result.Adopted)
            {
                Check(_cached.TryAdd(pages[i].Index, Content(tokens, salt, i)), $"adopted page {pages[i].Index} twice");
            }
            else
            {
                _free.Push(pages[i].Index);
            }
        }

        _policy.Release(lease);
    }

    private void Release()
    {
        if (_leases.Count == 0)
        {
            return;
        }

        int index = _random.Next(_leases.Count);
        (PrefixLease lease, PageId[] pages) = _leases[index];
        _leases.RemoveAt(index);
        _policy.Release(lease);
        foreach (PageId page in pages)
        {
            _pins[page.Index]--;
        }
    }

    private void Evict(int count)
    {
        int promised = _policy.EvictablePages;
        var freed = new PageId[count];
        int written = _policy.Evict(freed);
        Check(written == Math.Min(count, promised), $"evicted {written} of {count}, {promised} were promised");
        foreach (PageId page in freed.AsSpan(0, written))
        {
            Check(_pins[page.Index] == 0, $"evicted pinned page {page.Index}");
            Check(_cached.Remove(page.Index), $"evicted page {page.Index}, which it does not own");
            _free.Push(page.Index);
        }
    }

    // Few tokens and few lengths, so that prefixes meet.
    private (int[] Tokens, ulong Salt) RandomPrefix()
    {
        var tokens = new int[_random.Next(0, 6 * _tokensPerPage)];
        for (int page = 0; page * _tokensPerPage < tokens.Length; page++)
        {
            int kind = _random.Next(3);
            for (int i = page * _tokensPerPage; i < Math.Min(tokens.Length, (page + 1) * _tokensPerPage); i++)
            {
                tokens[i] = (kind * 10) + (i % _tokensPerPage);
            }
        }

        return (tokens, (ulong)_random.Next(2));
    }

    private string Content(int[] tokens, ulong salt, int page) => salt + ":" + string.Join(',', tokens.Take((page + 1) * _tokensPerPage));

    private void Check(bool holds, string problem) => Assert.True(holds, $"seed {_seed}, operation {_step}: {problem}");
}
