using Ernie.Caching;

namespace Ernie.CachePolicies.Tests.Shipped;

/// <summary>
/// A pool of pages, the texts a policy must have cached, and its leases, kept the slow and obvious way. Each operation is done
/// on both and compared.
/// </summary>
internal sealed class NaiveCache(ICachePolicy policy, int pageCount, int tokensPerPage, int seed)
{
    // In pages.
    private const int LongestText = 6;

    private readonly Random _random = new(seed);
    private readonly Dictionary<string, int> _pageOfText = [];
    private readonly Dictionary<int, string> _textOfPage = [];
    private readonly Stack<int> _free = new(Enumerable.Range(0, pageCount));
    private readonly List<(PrefixLease Lease, int[] Pages)> _leases = [];
    private readonly int[] _pins = new int[pageCount];
    private readonly PageId[] _buffer = new PageId[Math.Max(pageCount, LongestText)];

    /// <summary>Whether a text that is cached may be hidden from a lookup (its time to live is over).</summary>
    public bool MayHide { get; init; }

    public void Step()
    {
        switch (_random.Next(10))
        {
            case < 3:
                Acquire();
                break;
            case < 6:
                Insert();
                break;
            case < 9:
                Release();
                break;
            default:
                Evict(_random.Next(4));
                break;
        }

        Check(policy.CachedPages == _pageOfText.Count, $"{policy.CachedPages} cached pages instead of {_pageOfText.Count}");
        int idle = _textOfPage.Keys.Count(page => _pins[page] == 0);
        Check(policy.EvictablePages == idle, $"{policy.EvictablePages} evictable pages instead of {idle}");
    }

    public void ReleaseAllAndEvictAll()
    {
        while (_leases.Count > 0)
        {
            Release();
        }

        Evict(pageCount);
        Check(policy.CachedPages == 0 && _free.Count == pageCount, "pages were lost");
    }

    private void Acquire()
    {
        (int[] tokens, ulong salt) = RandomText();
        int bound = _random.Next(tokens.Length / tokensPerPage + 1);
        PrefixLease lease = policy.Acquire(Key(tokens, salt), _buffer.AsSpan(0, bound));

        int[] expected = [.. Cached(tokens, salt).Take(bound)];
        int[] pages = [.. _buffer.Take(lease.PageCount).Select(page => page.Index)];
        Check(expected.Take(pages.Length).SequenceEqual(pages), "other pages than the cached ones were leased");
        Check(MayHide || pages.Length == expected.Length, $"{pages.Length} pages were found instead of {expected.Length}");
        Check(lease.Handle != 0 == pages.Length > 0, "an empty lease has a handle, or a lease has none");
        foreach (int page in pages)
        {
            _pins[page]++;
        }

        _leases.Add((lease, pages));
    }

    private void Insert()
    {
        (int[] tokens, ulong salt) = RandomText();
        int count = tokens.Length / tokensPerPage;
        int[] cached = [.. Cached(tokens, salt)];
        if (count - cached.Length > _free.Count)
        {
            return;
        }

        // Sometimes the cached pages themselves, as a request with a lease offers them, sometimes copies that others computed.
        bool areCopies = _random.Next(2) == 0 && count <= _free.Count;
        int[] pages = [.. Enumerable.Range(0, count).Select(i => i < cached.Length && !areCopies ? cached[i] : _free.Pop())];
        InsertResult result = policy.Insert(Key(tokens, salt), pages.Select(page => new PageId(page)).ToArray());

        Check(result.AlreadyCached == cached.Length, $"{result.AlreadyCached} pages were cached instead of {cached.Length}");
        Check(result.Adopted >= 0 && result.Adopted <= count - cached.Length, $"{result.Adopted} pages were adopted");
        for (int i = 0; i < count; i++)
        {
            if (i >= cached.Length && i < cached.Length + result.Adopted)
            {
                string text = Text(tokens, salt, i + 1);
                (_pageOfText[text], _textOfPage[pages[i]]) = (pages[i], text);
            }
            else if (i >= cached.Length || areCopies)
            {
                _free.Push(pages[i]);
            }
        }
    }

    private void Release()
    {
        if (_leases.Count == 0)
        {
            return;
        }

        int index = _random.Next(_leases.Count);
        (PrefixLease lease, int[] pages) = _leases[index];
        _leases.RemoveAt(index);
        policy.Release(lease);
        foreach (int page in pages)
        {
            _pins[page]--;
        }
    }

    private void Evict(int wanted)
    {
        int expected = Math.Min(wanted, policy.EvictablePages);
        int count = policy.Evict(_buffer.AsSpan(0, wanted));
        Check(count == expected, $"{count} pages were freed instead of {expected}");
        foreach (PageId page in _buffer.AsSpan(0, count))
        {
            Check(_textOfPage.Remove(page.Index, out string? text), $"page {page.Index} is not the cache's, or was freed twice");
            Check(_pins[page.Index] == 0, $"page {page.Index} was freed under a lease");
            _pageOfText.Remove(text!);  // the check above failed otherwise
            _free.Push(page.Index);
        }

        // Nothing unreachable stays behind.
        foreach (string text in _textOfPage.Values)
        {
            int parentEnd = text.LastIndexOf('/');
            Check(text.IndexOf('/') == parentEnd || _pageOfText.ContainsKey(text[..parentEnd]), $"'{text}' lost the page before it");
        }
    }

    // Few symbols and lengths: prefixes are shared all the time.
    private (int[] Tokens, ulong Salt) RandomText()
    {
        int[] tokens = new int[_random.Next((LongestText * tokensPerPage) + 1)];
        int branch = _random.Next(3);
        for (int i = 0; i < tokens.Length; i++)
        {
            tokens[i] = i < tokensPerPage ? branch : _random.Next(12) == 0 ? 1 : 0;
        }

        return (tokens, (ulong)_random.Next(2));
    }

    private PrefixKey Key(int[] tokens, ulong salt) =>
        new() { Tokens = tokens, Salt = salt, Priority = _random.Next(-20, 20), Tenant = _random.Next(4) };

    private IEnumerable<int> Cached(int[] tokens, ulong salt)
    {
        for (int i = 0; i < tokens.Length / tokensPerPage && _pageOfText.TryGetValue(Text(tokens, salt, i + 1), out int page); i++)
        {
            yield return page;
        }
    }

    // "salt/page/page/…": the text before a page is the text up to the last separator.
    private string Text(int[] tokens, ulong salt, int pages) =>
        salt + string.Concat(Enumerable.Range(0, pages)
            .Select(i => "/" + string.Join(',', tokens.AsSpan(i * tokensPerPage, tokensPerPage).ToArray())));

    private void Check(bool isRight, string problem) => Assert.True(isRight, $"{policy.Name}, seed {seed}: {problem}");
}
