using System.Globalization;
using Ernie.Caching;
using Ernie.Cli.Hosting;
using Ernie.Hosting;
using Ernie.Hosting.CacheBenchmark;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Hosting.Plugins;

namespace Ernie.Cli.Benchmarks;

/// <summary>Compares cache policies, the user's own included, on synthetic traces; no model is loaded.</summary>
internal sealed class CachePolicyCommand : ICommand
{
    private static readonly OptionRows s_rows = new(OptionGroup.Command);
    private static readonly Option<string> s_trace = s_rows.Choice("trace", "Requests to replay.", AllTraces, [AllTraces, .. CacheTrace.Names]);
    private static readonly Option<int> s_requests = s_rows.WholeNumber("num-requests", "Requests in a trace.", 1000, 1);
    private static readonly Option<int> s_pages = s_rows.WholeNumber("page-count", "Pages of the pool, 64 tokens each.", 4096, 1);
    private static readonly Option<int> s_concurrency = s_rows.WholeNumber("concurrency", "Requests that hold their pages at once.", 8, 1);
    private static readonly Option<int> s_seed = s_rows.WholeNumber("trace-seed", "Seed of the trace.", 1, 0);

    private const string AllTraces = "all";
    private const int BarWidth = 40;

    /// <inheritdoc/>
    public string Name => "bench cache-policy";

    /// <inheritdoc/>
    public string Summary => "Compares cache policies on synthetic traces: hit rate and cost per page operation. All that are loaded, or the one that --cache-policy names.";

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options { get; } =
    [
        .. s_rows.All,
        .. OptionTable.WithoutServer,
    ];

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        OptionSet options = context.Options;
        int requestCount = options.Get(s_requests);
        int pageCount = options.Get(s_pages);
        int concurrency = options.Get(s_concurrency);
        int seed = options.Get(s_seed);
        string chosen = options.Get(s_trace);
        IReadOnlyDictionary<string, string> settings = PluginRows.CachePolicySettings(options);
        IReadOnlyList<KeyValuePair<string, Func<CachePolicyOptions, ICachePolicy>>> policies = await FindPoliciesAsync(context).ConfigureAwait(false);
        foreach (string name in CacheTrace.Names.Where(name => chosen is AllTraces || chosen == name))
        {
            CacheTrace trace = CacheTrace.Create(name, requestCount, seed);
            CachePolicyBenchmark benchmark = CreateBenchmark(trace, pageCount, concurrency);
            var results = new List<CacheBenchmarkResult>();
            foreach ((string policy, Func<CachePolicyOptions, ICachePolicy> create) in policies)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await context.Console.Error.WriteLineAsync($"{name}: {policy}").ConfigureAwait(false);
                results.Add(benchmark.Run(policy, create, settings));
            }

            await WriteAsync(context.Console.Output, trace, pageCount, results).ConfigureAwait(false);
        }

        return 0;
    }

    private static async Task<IReadOnlyList<KeyValuePair<string, Func<CachePolicyOptions, ICachePolicy>>>> FindPoliciesAsync(CommandContext context)
    {
        PluginCatalog catalog = PluginLoader.Load(EngineBuilder.PluginDirectories(context.Options));
        foreach (PluginDiagnostic diagnostic in catalog.Diagnostics)
            await context.Console.Error.WriteLineAsync(diagnostic.ToString()).ConfigureAwait(false);
        if (!context.Options.IsSet(PluginRows.CachePolicy))
        {
            return !context.Options.IsSet(PluginRows.CachePolicyOptions)
                ? [.. catalog.CachePolicies.OrderBy(policy => policy.Key, StringComparer.Ordinal)]
                : throw new OptionException("--cache-policy-option is a setting of one policy: name it with --cache-policy.");
        }

        string name = context.Options.Get(PluginRows.CachePolicy);
        return catalog.CachePolicies.TryGetValue(name, out Func<CachePolicyOptions, ICachePolicy>? create)
            ? [new(name, create)]
            : throw new OptionException($"--cache-policy is '{name}'; the plugins bring {string.Join(", ", catalog.CachePolicies.Keys.Order(StringComparer.Ordinal))}.");
    }

    private static CachePolicyBenchmark CreateBenchmark(CacheTrace trace, int pageCount, int concurrency)
    {
        try
        {
            return new CachePolicyBenchmark(trace, pageCount, concurrency: concurrency);
        }
        catch (ArgumentException exception)
        {
            throw new OptionException($"--page-count is {pageCount}: {exception.Message}", exception);
        }
    }

    private static async Task WriteAsync(TextWriter output, CacheTrace trace, int pageCount, List<CacheBenchmarkResult> results)
    {
        double best = results.Max(result => result.BestHitRate);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{trace.Name}: {trace.Requests.Count} requests, {trace.Requests.Sum(request => (long)request.PromptLength)} prompt tokens, {pageCount} pages; an endless cache finds {best:P1}")).ConfigureAwait(false);
        await output.WriteLineAsync($"{"policy",-16}{"hit rate",9}{"evicted",9}{"ns/page",9}{"bytes",12}").ConfigureAwait(false);
        foreach (CacheBenchmarkResult result in results.OrderByDescending(result => result.HitRate))
        {
            string bar = new string('█', (int)Math.Round(BarWidth * result.HitRate)).PadRight((int)Math.Round(BarWidth * best), '░');
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{result.Policy,-16}{result.HitRate,9:P1}{result.EvictedPages,9}{result.NanosecondsPerPageOperation,9:F1}{result.AllocatedBytes,12}  {bar}")).ConfigureAwait(false);
        }

        await output.WriteLineAsync().ConfigureAwait(false);
    }
}
