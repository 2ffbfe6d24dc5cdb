using System;
using System.Collections.Generic;
using Ernie.Caching;
using Ernie.Plugins;

[assembly: ErniePlugin(typeof(TestPlugins.PinnedPage.Plugin), PluginContract.Version)]

namespace TestPlugins.PinnedPage;

// Its cache policy gives back a page that a request still reads.
public sealed class Plugin : IPlugin
{
    public void Register(IPluginRegistry registry)
    {
        registry.AddCachePolicy("gives-pinned-pages", options => new PinnedPagePolicy(options));
    }
}

public sealed class PinnedPagePolicy(CachePolicyOptions options) : ICachePolicy
{
    private readonly List<(int[] Tokens, PageId Page)> _pages = [];

    public string Name => "gives-pinned-pages";

    public int CachedPages => _pages.Count;

    // Pins are not counted: everything may go at any time.
    public int EvictablePages => _pages.Count;

    public PrefixLease Acquire(in PrefixKey key, Span<PageId> pages)
    {
        int count = 0;
        while (count < pages.Length && Find(key, count) is { } page)
        {
            pages[count++] = page;
        }

        return count == 0 ? default : new PrefixLease(1, count);
    }

    public InsertResult Insert(in PrefixKey key, ReadOnlySpan<PageId> pages)
    {
        int known = 0;
        while (known < pages.Length && Find(key, known) is not null)
        {
            known++;
        }

        for (int i = known; i < pages.Length; i++)
        {
            _pages.Add((key.Tokens[..((i + 1) * options.TokensPerPage)].ToArray(), pages[i]));
        }

        return new InsertResult(known, pages.Length - known);
    }

    public void Release(PrefixLease lease)
    {
    }

    public int Evict(Span<PageId> freed)
    {
        int count = Math.Min(freed.Length, _pages.Count);
        for (int i = 0; i < count; i++)
        {
            freed[i] = _pages[0].Page;
            _pages.RemoveAt(0);
        }

        return count;
    }

    private PageId? Find(in PrefixKey key, int page)
    {
        int end = (page + 1) * options.TokensPerPage;
        foreach ((int[] tokens, PageId id) in _pages)
        {
            if (end <= key.Tokens.Length && key.Tokens[..end].SequenceEqual(tokens))
            {
                return id;
            }
        }

        return null;
    }
}
