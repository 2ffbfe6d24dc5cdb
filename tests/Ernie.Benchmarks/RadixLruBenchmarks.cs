using BenchmarkDotNet.Attributes;
using Ernie.CachePolicies.RadixLru;
using Ernie.Caching;

namespace Ernie.Benchmarks;

/// <summary>Page operations of the default cache policy on a full pool of 16,384 pages: requests of 32 pages, half of each shared with others.</summary>
[MemoryDiagnoser]
public class RadixLruBenchmarks
{
    private const int PageCount = 16_384;
    private const int TokensPerPage = 64;
    private const int PagesPerSequence = 32;

    // Of one request: 16 pages found, pinned and unpinned; 32 inserted; 32 pinned and unpinned; 16 evicted.
    private const int OperationsPerRequest = (16 * 2) + 32 + (32 * 2) + 16;
    private const int Requests = 400;

    private readonly int[][] _sequences = [.. Enumerable.Range(0, Requests * 2).Select(CreateSequence)];
    private readonly PageId[] _pages = new PageId[PagesPerSequence];
    private readonly Stack<PageId> _free = new(Enumerable.Range(0, PageCount).Select(index => new PageId(index)));
    private readonly RadixLruPolicy _policy = new(new CachePolicyOptions(PageCount, TokensPerPage));
    private int _next;

    /// <summary>Serves 400 requests, which alternate with 400 others so that the private half of each has been evicted when it comes again.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = OperationsPerRequest * Requests)]
    public int PageOperation()
    {
        int evicted = 0;
        for (int request = 0; request < Requests; request++)
        {
            evicted += Serve(_sequences[_next++ % _sequences.Length]);
        }

        return evicted;
    }

    // What an engine does for one request: acquire, insert the rest, pin it, release; evict when pages run out.
    private int Serve(int[] tokens)
    {
        var key = new PrefixKey { Tokens = tokens };
        PrefixLease lease = _policy.Acquire(in key, _pages);
        int missing = _pages.Length - lease.PageCount;
        Span<PageId> freed = stackalloc PageId[PagesPerSequence];
        int evicted = _free.Count < missing ? _policy.Evict(freed[..missing]) : 0;
        for (int i = 0; i < evicted; i++)
        {
            _free.Push(freed[i]);
        }

        for (int i = lease.PageCount; i < _pages.Length; i++)
        {
            _pages[i] = _free.Pop();
        }

        _policy.Insert(in key, _pages);
        PrefixLease longer = _policy.Acquire(in key, _pages);
        _policy.Release(lease);
        _policy.Release(longer);
        return evicted;
    }

    private static int[] CreateSequence(int seed)
    {
        var random = new Random(seed);
        var tokens = new int[PagesPerSequence * TokensPerPage];
        for (int i = 0; i < tokens.Length; i++)
        {
            // The first half is one of ten system prompts.
            tokens[i] = i < tokens.Length / 2 ? (seed % 10 * 1000) + i : random.Next(100_000);
        }

        return tokens;
    }
}
