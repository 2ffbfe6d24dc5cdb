using System.Collections.ObjectModel;

namespace Ernie.Hosting.CacheBenchmark;

/// <summary>Requests in the order in which a server gets them. Synthetic and the same for the same seed.</summary>
public sealed class CacheTrace
{
    private const int VocabularySize = 103_424;     // ERNIE 4.5
    private const int ActiveConversations = 96;
    private const int SystemPrompts = 40;
    private const int Documents = 600;
    private const double ScanShare = 0.25;

    private readonly Random _random;
    private readonly List<CacheTraceRequest> _requests = [];

    private CacheTrace(string name, int seed)
    {
        Name = name;
        _random = new Random(seed);
    }

    /// <summary>The traces there are.</summary>
    public static ReadOnlyCollection<string> Names { get; } = new(["multi-turn", "shared-system-prompt", "zipf"]);

    /// <summary>One of <see cref="Names"/>.</summary>
    public string Name { get; }

    /// <summary>The requests.</summary>
    public IReadOnlyList<CacheTraceRequest> Requests => _requests;

    /// <summary>Makes a trace.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="requestCount">Requests, at least 1.</param>
    /// <param name="seed">Seed of everything random.</param>
    /// <exception cref="ArgumentException">No trace of that name, or no requests.</exception>
    public static CacheTrace Create(string name, int requestCount, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(requestCount, 1);
        var trace = new CacheTrace(name, seed);
        Action fill = name switch
        {
            "multi-turn" => () => trace.AddConversations(requestCount),
            "shared-system-prompt" => () => trace.AddSystemPrompts(requestCount),
            "zipf" => () => trace.AddDocuments(requestCount),
            _ => throw new ArgumentException($"There is no trace '{name}'; there are {string.Join(", ", Names)}.", nameof(name)),
        };
        fill();
        return trace;
    }

    /// <summary>Share of the prompts' tokens, in whole pages, that a cache without a limit would have found.</summary>
    /// <param name="tokensPerPage">Tokens in a page.</param>
    public double BestHitRate(int tokensPerPage)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tokensPerPage, 1);
        var pages = new HashSet<(int Parent, ulong Hash)>();
        long found = 0, prompt = 0;
        foreach (CacheTraceRequest request in _requests)
        {
            // A 64-bit hash of the whole prefix stands for it: a collision would change a benchmark's last digit.
            ulong hash = 14695981039346656037;
            for (int page = 0; page < request.Tokens.Length / tokensPerPage; page++)
            {
                foreach (int token in request.Tokens.AsSpan(page * tokensPerPage, tokensPerPage))
                {
                    hash = (hash ^ (uint)token) * 1099511628211;
                }

                bool isKnown = !pages.Add((page, hash));
                found += isKnown && (page + 1) * tokensPerPage <= request.PromptLength ? tokensPerPage : 0;
            }

            prompt += request.PromptLength;
        }

        return (double)found / prompt;
    }

    // People talk for a few turns; each turn sends the whole conversation again. One in eight is important.
    private void AddConversations(int count)
    {
        var histories = new List<int>[ActiveConversations];
        for (int i = 0; i < count; i++)
        {
            int conversation = _random.Next(ActiveConversations);
            bool isNew = histories[conversation] is null || _random.Next(8) == 0;
            List<int> history = isNew ? histories[conversation] = [.. Text(200, 800)] : histories[conversation];
            history.AddRange(Text(20, 300));
            int promptLength = history.Count;
            history.AddRange(Text(50, 400));
            _requests.Add(new([.. history], promptLength, Tenant: conversation % 4, Priority: conversation % 8 == 0 ? 1 : 0));
        }
    }

    // Applications with a system prompt each, mixed with long texts that nobody asks for again.
    private void AddSystemPrompts(int count)
    {
        int[][] prompts = [.. Enumerable.Range(0, SystemPrompts).Select(_ => Text(1000, 4000))];
        for (int i = 0; i < count; i++)
        {
            bool isScan = _random.NextDouble() < ScanShare;
            int application = ZipfRank(SystemPrompts);
            Add(isScan ? Text(2000, 6000) : [.. prompts[application], .. Text(50, 500)], tenant: isScan ? SystemPrompts : application, isScan ? -1 : 0);
        }
    }

    // Questions about documents of very different popularity.
    private void AddDocuments(int count)
    {
        int[][] documents = [.. Enumerable.Range(0, Documents).Select(_ => Text(500, 4000))];
        for (int i = 0; i < count; i++)
        {
            int document = ZipfRank(Documents);
            Add([.. documents[document], .. Text(20, 100)], tenant: document % 4, priority: 0);
        }
    }

    private void Add(int[] prompt, int tenant, int priority) =>
        _requests.Add(new([.. prompt, .. Text(50, 200)], prompt.Length, tenant, priority));

    private int[] Text(int shortest, int longest)
    {
        int[] tokens = new int[_random.Next(shortest, longest + 1)];
        for (int i = 0; i < tokens.Length; i++)
        {
            tokens[i] = _random.Next(VocabularySize);
        }

        return tokens;
    }

    // Rank r is drawn about in proportion to 1/r: the logarithm of the rank is uniform.
    private int ZipfRank(int count) => (int)Math.Pow(count + 1, _random.NextDouble()) - 1;
}
