using System.Diagnostics;
using Ernie.Caching;

namespace Ernie.Hosting.CacheBenchmark;

/// <summary>Runs a trace through a cache policy as an engine does: find, take pages, compute, offer, release; evict when short.</summary>
public sealed class CachePolicyBenchmark
{
    private readonly CacheTrace _trace;
    private readonly int _pageCount;
    private readonly int _tokensPerPage;
    private readonly int _concurrency;

    /// <summary>Sets the machine up.</summary>
    /// <param name="trace">The requests.</param>
    /// <param name="pageCount">Pages of the pool.</param>
    /// <param name="tokensPerPage">Tokens in a page.</param>
    /// <param name="concurrency">Requests that hold their pages at once.</param>
    /// <exception cref="ArgumentException">The pool cannot hold that many requests of the trace.</exception>
    public CachePolicyBenchmark(CacheTrace trace, int pageCount, int tokensPerPage = 64, int concurrency = 8)
    {
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokensPerPage, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(concurrency, 1);
        long needed = (long)concurrency * trace.Requests.Max(request => PagesFor(request.Tokens.Length, tokensPerPage));
        if (pageCount < needed)
        {
            throw new ArgumentException(
                $"{concurrency} requests of trace '{trace.Name}' may need {needed} pages and the pool has {pageCount}.", nameof(pageCount));
        }

        (_trace, _pageCount, _tokensPerPage, _concurrency) = (trace, pageCount, tokensPerPage, concurrency);
    }

    /// <summary>Runs the trace through one policy.</summary>
    /// <param name="name">Name for the result.</param>
    /// <param name="create">Creates the policy.</param>
    /// <param name="settings">The policy's settings.</param>
    /// <exception cref="InvalidOperationException">The policy breaks its contract: it evicts less than it says.</exception>
    public CacheBenchmarkResult Run(
        string name, Func<CachePolicyOptions, ICachePolicy> create, IReadOnlyDictionary<string, string>? settings = null)
    {
        ArgumentNullException.ThrowIfNull(create);
        var options = new CachePolicyOptions(_pageCount, _tokensPerPage) { Settings = settings ?? new Dictionary<string, string>() };

        // The first run compiles the policy's code; the second is measured.
        new Simulation(create(options), this).Run();
        var simulation = new Simulation(create(options), this);
        simulation.Run();
        return new CacheBenchmarkResult(
            name,
            _trace.Name,
            (double)simulation.FoundTokens / _trace.Requests.Sum(request => (long)request.PromptLength),
            _trace.BestHitRate(_tokensPerPage),
            simulation.EvictedPages,
            simulation.PageOperations,
            simulation.Time.TotalNanoseconds / Math.Max(1, simulation.PageOperations),
            simulation.AllocatedBytes);
    }

    private static int PagesFor(int tokens, int tokensPerPage) => (tokens + tokensPerPage - 1) / tokensPerPage;

    /// <summary>One run: the pool's free pages and the requests in flight.</summary>
    private sealed class Simulation
    {
        private readonly ICachePolicy _policy;
        private readonly CachePolicyBenchmark _setup;
        private readonly Stack<PageId> _free;
        private readonly Queue<(PrefixLease Lease, PageId[] Pages, CacheTraceRequest Request)> _running = new();

        public Simulation(ICachePolicy policy, CachePolicyBenchmark setup)
        {
            (_policy, _setup) = (policy, setup);
            _free = new Stack<PageId>(Enumerable.Range(0, setup._pageCount).Select(page => new PageId(page)));
        }

        public long FoundTokens { get; private set; }

        public long EvictedPages { get; private set; }

        public long PageOperations { get; private set; }

        public long AllocatedBytes { get; private set; }

        public TimeSpan Time { get; private set; }

        public void Run()
        {
            foreach (CacheTraceRequest request in _setup._trace.Requests)
            {
                if (_running.Count == _setup._concurrency)
                {
                    Finish();
                }

                Start(request);
            }
        }

        private void Start(CacheTraceRequest request)
        {
            var pages = new PageId[PagesFor(request.Tokens.Length, _setup._tokensPerPage)];
            PrefixKey key = Key(request, request.PromptLength);

            (long start, long bytes) = Begin();
            PrefixLease lease = _policy.Acquire(key, pages);
            End(start, bytes, lease.PageCount);
            FoundTokens += lease.PageCount * _setup._tokensPerPage;

            int missing = pages.Length - lease.PageCount - _free.Count;
            if (missing > 0)
            {
                Evict(missing);
            }

            for (int i = lease.PageCount; i < pages.Length; i++)
            {
                pages[i] = _free.Pop();
            }

            _running.Enqueue((Offer(request, request.PromptLength, pages, lease), pages, request));
        }

        // An engine offers the pages that are full and leases what the cache then holds, in the sequence's place.
        private PrefixLease Offer(CacheTraceRequest request, int length, PageId[] pages, PrefixLease lease)
        {
            PrefixKey key = Key(request, length);
            int full = length / _setup._tokensPerPage;
            var cached = new PageId[full];

            (long start, long bytes) = Begin();
            InsertResult result = _policy.Insert(key, pages.AsSpan(0, full));
            PrefixLease longer = _policy.Acquire(key, cached);
            _policy.Release(lease);
            End(start, bytes, full + longer.PageCount + lease.PageCount);

            if (longer.PageCount < result.AlreadyCached + result.Adopted)
            {
                throw new InvalidOperationException(
                    $"{_policy.Name} holds {result.AlreadyCached + result.Adopted} pages of a sequence and leased {longer.PageCount}.");
            }

            for (int i = lease.PageCount; i < result.AlreadyCached; i++)
            {
                // Another request brought this page meanwhile: the copy is free.
                _free.Push(pages[i]);
                pages[i] = cached[i];
            }

            return longer;
        }

        private void Evict(int count)
        {
            var freed = new PageId[count];
            (long start, long bytes) = Begin();
            int given = _policy.Evict(freed);
            End(start, bytes, given);
            EvictedPages += given;
            foreach (PageId page in freed.AsSpan(0, given))
            {
                _free.Push(page);
            }

            if (given < count)
            {
                throw new InvalidOperationException($"{_policy.Name} gave {given} of {count} pages while nothing else holds them.");
            }
        }

        private void Finish()
        {
            (PrefixLease lease, PageId[] pages, CacheTraceRequest request) = _running.Dequeue();
            lease = Offer(request, request.Tokens.Length, pages, lease);
            (long start, long bytes) = Begin();
            _policy.Release(lease);
            End(start, bytes, lease.PageCount);
            foreach (PageId page in pages.AsSpan(lease.PageCount))
            {
                _free.Push(page);
            }
        }

        private static PrefixKey Key(CacheTraceRequest request, int length) =>
            new() { Tokens = request.Tokens.AsSpan(0, length), Tenant = request.Tenant, Priority = request.Priority };

        private static (long Start, long Bytes) Begin() => (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());

        private void End(long start, long bytes, int pageOperations)
        {
            AllocatedBytes += GC.GetAllocatedBytesForCurrentThread() - bytes;
            Time += Stopwatch.GetElapsedTime(start);
            PageOperations += pageOperations;
        }
    }
}
