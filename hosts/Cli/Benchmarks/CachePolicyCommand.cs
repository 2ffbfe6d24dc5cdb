using System.Globalization;
using Ernie.Caching;
using Ernie.Cli.Hosting;
using Ernie.Hosting;
using Ernie.Hosting.CacheBenchmark;
using Ernie.Hosting.Options;
using Ernie.Hosting.Plugins;

namespace Ernie.Cli.Benchmarks;

/// <summary>Compares cache policies, the user's own included, on synthetic traces; no model is loaded.</summary>
internal sealed class CachePolicyCommand : ICommand
{
    private const string AllTraces = "all";
    private const int BarWidth = 40;

    /// <inheritdoc/>
    public string Name => "bench cache-policy";

    /// <inheritdoc/>
    public string Summary => "Compares cache policies on synthetic traces: hit rate and cost per page operation. All that are loaded, or the one that --cache-policy names.";

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options { get; } =
    [
        new("trace", OptionGroup.Command, OptionKind.Text, "Requests to replay.") { Default = AllTraces, Choices = [AllTraces, .. CacheTrace.Names] },
        new("num-requests", OptionGroup.Command, OptionKind.WholeNumber, "Requests in a trace.") { Default = "1000" },
        new("page-count", OptionGroup.Command, OptionKind.WholeNumber, "Pages of the pool, 64 tokens each.") { Default = "4096" },
        new("concurrency", OptionGroup.Command, OptionKind.WholeNumber, "Requests that hold their pages at once.") { Default = "8" },
        new("trace-seed", OptionGroup.Command, OptionKind.WholeNumber, "Seed of the trace.") { Default = "1" },
        .. OptionTable.WithoutServer,
    ];

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        // The table has defaults for all of them.
        int requestCount = context.Options.WholeNumber("num-requests", 1)!.Value;
        int pageCount = context.Options.WholeNumber("page-count", 1)!.Value;
        int concurrency = context.Options.WholeNumber("concurrency", 1)!.Value;
        int seed = context.Options.WholeNumber("trace-seed", 0)!.Value;
        string chosen = context.Options.RequiredText("trace");
        EngineOptions engine = EngineOptions.Create(context.Options);
        IReadOnlyList<KeyValuePair<string, Func<CachePolicyOptions, ICachePolicy>>> policies = await FindPoliciesAsync(context, engine).ConfigureAwait(false);
        foreach (string name in CacheTrace.Names.Where(name => chosen is AllTraces || chosen == name))
        {
            CacheTrace trace = CacheTrace.Create(name, requestCount, seed);
            CachePolicyBenchmark benchmark = CreateBenchmark(trace, pageCount, concurrency);
            var results = new List<CacheBenchmarkResult>();
            foreach ((string policy, Func<CachePolicyOptions, ICachePolicy> create) in policies)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await context.Console.Error.WriteLineAsync($"{name}: {policy}").ConfigureAwait(false);
                results.Add(benchmark.Run(policy, create, engine.CachePolicySettings));
            }

            await WriteAsync(context.Console.Output, trace, pageCount, results).ConfigureAwait(false);
        }

        return 0;
    }

    private static async Task<IReadOnlyList<KeyValuePair<string, Func<CachePolicyOptions, ICachePolicy>>>> FindPoliciesAsync(
        CommandContext context, EngineOptions engine)
    {
        PluginCatalog catalog = PluginLoader.Load(EngineBuilder.PluginDirectories(engine));
        foreach (PluginDiagnostic diagnostic in catalog.Diagnostics)
            await context.Console.Error.WriteLineAsync(diagnostic.ToString()).ConfigureAwait(false);
        if (!context.Options.IsSet("cache-policy"))
        {
            return engine.CachePolicySettings.Count == 0
                ? [.. catalog.CachePolicies.OrderBy(policy => policy.Key, StringComparer.Ordinal)]
                : throw new OptionException("--cache-policy-option is a setting of one policy: name it with --cache-policy.");
        }

        return catalog.CachePolicies.TryGetValue(engine.CachePolicy, out Func<CachePolicyOptions, ICachePolicy>? create)
            ? [new(engine.CachePolicy, create)]
            : throw new OptionException($"--cache-policy is '{engine.CachePolicy}'; the plugins bring {string.Join(", ", catalog.CachePolicies.Keys.Order(StringComparer.Ordinal))}.");
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
