using Ernie.CachePolicies.RadixLru;
using Ernie.Caching;
using Ernie.Engine.Drafting;
using Ernie.Engine.Settings;
using Ernie.Execution;
using Ernie.Generation;
using Ernie.Samplers.Standard;
using Ernie.Sampling;

namespace Ernie.Engine.Tests.Fakes;

/// <summary>An engine over a fake executor, with the shipped sampler and policy.</summary>
internal sealed class Harness : IAsyncDisposable
{
    public Harness(
        ExecutorInfo? info = null, bool cache = true, bool device = false, int maxQueued = int.MaxValue, bool chunked = true,
        ICachePolicy? policy = null, IReadOnlyList<ISampler>? samplers = null, FakeExecutor? executor = null,
        IDraftSource? drafts = null)
    {
        info ??= executor?.Info ?? FakeExecutor.Limits();
        Executor = executor ?? (device ? new FakeDeviceExecutor(info) : new FakeExecutor(info));
        Engine = new InferenceEngine(Executor, new EngineSettings
        {
            ModelName = "pure",
            Samplers = [new StandardSampler(), .. samplers ?? []],
            DefaultSampler = "standard",
            CachePolicy = policy ?? (cache ? new RadixLruPolicy(new CachePolicyOptions(info.PageCount, info.TokensPerPage)) : null),
            MaxQueuedRequests = maxQueued,
            ChunkedPrefill = chunked,
            Warn = Warnings.Add,
            Drafts = drafts,
        });
    }

    public FakeExecutor Executor { get; }

    public InferenceEngine Engine { get; }

    public List<string> Warnings { get; } = [];

    public int Vocabulary => Executor.Info.VocabularySize;

    public static int[] Prompt(int length, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(50))];
    }

    public static GenerationRequest Greedy(int[] prompt, int maxTokens) =>
        new() { PromptTokens = prompt, MaxTokens = maxTokens, Sampling = SamplingOptions.Greedy };

    public async Task<List<GenerationEvent>> Run(GenerationRequest request, CancellationToken cancellation = default)
    {
        var events = new List<GenerationEvent>();
        await foreach (GenerationEvent e in Engine.GenerateAsync(request, cancellation))
        {
            events.Add(e);
        }

        return events;
    }

    /// <summary>Runs requests that are all queued before the first is admitted, so that what they share or fight over does not depend on timing.</summary>
    public Task<List<GenerationEvent>[]> Together(IEnumerable<GenerationRequest> requests)
    {
        Engine.Pause();
        Task<List<GenerationEvent>>[] runs = [.. requests.Select(request => Run(request))];
        Engine.Resume();
        return Task.WhenAll(runs);
    }

    public async Task<List<int>> Tokens(GenerationRequest request) => TokensOf(await Run(request));

    public static List<int> TokensOf(IEnumerable<GenerationEvent> events) => [.. events.Where(e => e.Token >= 0).Select(e => e.Token)];

    public List<int> Expected(int[] prompt, int maxTokens, IReadOnlyList<int>? stops = null) =>
        PureModel.Greedy(prompt, maxTokens, Vocabulary, stops);

    /// <summary>Waits until a condition on the statistics holds; the loop publishes them after each step.</summary>
    public async Task<EngineStatistics> Until(Func<EngineStatistics, bool> condition)
    {
        DateTime deadline = DateTime.UtcNow.AddSeconds(30);
        while (true)
        {
            EngineStatistics statistics = Engine.GetStatistics();
            if (condition(statistics))
            {
                return statistics;
            }

            Assert.True(DateTime.UtcNow < deadline, $"not reached within 30 s: {statistics}");
            await Task.Delay(1);
        }
    }

    public Task<EngineStatistics> UntilIdle() => Until(s => s.Running == 0 && s.Waiting == 0 && s.PagesInUse == 0 && !s.StepInFlight);

    public ValueTask DisposeAsync() => Engine.DisposeAsync();
}
