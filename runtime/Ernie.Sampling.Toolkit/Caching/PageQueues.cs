namespace Ernie.Caching.Toolkit;

/// <summary>Queues of pages over one pair of link arrays: a page is in at most one of them, and every move is constant time.</summary>
public sealed class PageQueues
{
    private const int Unlinked = -1;

    private readonly int _pageCount;
    private readonly List<int> _lengths = [];

    // Links of pages, and behind them the sentinel of each queue: next is its first page, previous its last.
    private int[] _next;
    private int[] _previous;

    /// <summary>Makes empty queues.</summary>
    /// <param name="pageCount">Pages of the pool.</param>
    /// <param name="queueCount">Queues, numbered from 0.</param>
    public PageQueues(int pageCount, int queueCount)
    {
        _pageCount = pageCount;
        _next = new int[pageCount];
        _previous = new int[pageCount];
        Array.Fill(_next, Unlinked);
        for (int queue = 0; queue < queueCount; queue++)
        {
            AddQueue();
        }
    }

    /// <summary>Adds an empty queue.</summary>
    /// <returns>Its number.</returns>
    public int AddQueue()
    {
        int queue = _lengths.Count;
        int sentinel = _pageCount + queue;
        if (sentinel >= _next.Length)
        {
            Array.Resize(ref _next, sentinel + 8);
            Array.Resize(ref _previous, sentinel + 8);
        }

        _next[sentinel] = _previous[sentinel] = sentinel;
        _lengths.Add(0);
        return queue;
    }

    /// <summary>Pages in a queue.</summary>
    public int Length(int queue) => _lengths[queue];

    /// <summary>Whether a page is in any queue.</summary>
    public bool Contains(int page) => _next[page] != Unlinked;

    /// <summary>The page that came first, or −1.</summary>
    public int First(int queue) => After(_pageCount + queue);

    /// <summary>The page behind a page of a queue, or −1 at its end.</summary>
    public int After(int page) => _next[page] < _pageCount ? _next[page] : Unlinked;

    /// <summary>Puts a page that is in no queue at the end of one.</summary>
    public void Append(int queue, int page)
    {
        int sentinel = _pageCount + queue;
        int last = _previous[sentinel];
        (_next[page], _previous[page]) = (sentinel, last);
        _next[last] = _previous[sentinel] = page;
        _lengths[queue]++;
    }

    /// <summary>Takes a page out of its queue.</summary>
    public void Remove(int queue, int page)
    {
        _next[_previous[page]] = _next[page];
        _previous[_next[page]] = _previous[page];
        _next[page] = Unlinked;
        _lengths[queue]--;
    }

    /// <summary>Puts a page at the end of a queue, wherever in that queue it is, if it is.</summary>
    public void MoveToEnd(int queue, int page)
    {
        if (Contains(page))
        {
            Remove(queue, page);
        }

        Append(queue, page);
    }
}
