using Ernie.Generation;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;
using Ernie.Sampling;

namespace Ernie.Hosting.Tests.TestPlugins;

/// <summary>An engine with broken plugins: the request that meets one fails clearly, all others go on.</summary>
public sealed class ServingBrokenPluginTests : IClassFixture<TestPluginFolder>
{
    private static readonly int[] s_starts = [100, 200, 300, 100];

    private readonly TestPluginFolder _folder;
    private readonly List<string> _progress = [];

    public ServingBrokenPluginTests(TestPluginFolder folder) => _folder = folder;

    [Theory]
    [InlineData("out-of-range", "'out-of-range' returned token")]
    [InlineData("negative", "'negative' returned token -1")]
    [InlineData("throws-in-sample", "lost my dice")]
    public async Task Generate_SamplerFails_EndsItsRequestAlone(string sampler, string reason)
    {
        await using EngineSession session = await BuildAsync(Options(32).With(PluginRows.Directories, [_folder.Location]));
        List<int> expected = (await RunAsync(session.Engine, null, 100)).Tokens;

        Task<(List<int> Tokens, GenerationEvent Last)> other = RunAsync(session.Engine, null, 100);
        (_, GenerationEvent failed) = await RunAsync(session.Engine, sampler, 100);

        Assert.Equal(FinishReason.Error, failed.FinishReason);
        Assert.Contains(reason, failed.Error, StringComparison.Ordinal);
        Assert.Equal(expected, (await other).Tokens);
        Assert.Equal(expected, (await RunAsync(session.Engine, null, 100)).Tokens);
        Assert.Null(session.Engine.GetStatistics().Failure);
    }

    [Fact]
    public async Task Generate_SamplerFailsOnParameters_RefusesThatRequest()
    {
        await using EngineSession session = await BuildAsync(Options(32).With(PluginRows.Directories, [_folder.Location]));

        Exception? thrown = await Record.ExceptionAsync(() => RunAsync(session.Engine, "throws-in-parameters", 100));

        Assert.Contains("cannot read options", Assert.IsType<RequestRejectedException>(thrown).Message, StringComparison.Ordinal);
        Assert.Equal(FinishReason.Length, (await RunAsync(session.Engine, null, 100)).Last.FinishReason);
    }

    [Fact]
    public async Task Generate_SamplerRefusesAField_NamesTheField()
    {
        await using EngineSession session = await BuildAsync(Options(32));
        var sampling = new SamplingOptions { Sampler = "typical", Extra = new Dictionary<string, double> { ["typical_p"] = 1.5 } };

        var refused = Assert.Throws<RequestRejectedException>(
            () => session.Engine.GenerateAsync(new GenerationRequest { PromptTokens = [3, 4], MaxTokens = 2, Sampling = sampling }));

        Assert.Equal((RejectionReason.Invalid, "typical_p"), (refused.Reason, refused.Parameter));
    }

    [Fact]
    public async Task Generate_PolicyGivesPinnedPages_LosesTheCacheAndNoText()
    {
        await using EngineSession sound = await BuildAsync(Options(8).With(CapacityRows.PrefixCaching, false));
        await using EngineSession session = await BuildAsync(
            Options(8).With(PluginRows.Directories, [_folder.Location]).With(PluginRows.CachePolicy, "gives-pinned-pages"));

        // Three prompts of two pages each and a growing fourth page in a pool of eight: pages must be evicted under leases.
        // All four are queued before the first runs.
        session.Engine.Pause();
        Task<(List<int> Tokens, GenerationEvent Last)>[] runs =
            [.. s_starts.Select(start => RunAsync(session.Engine, null, start, promptLength: 140, count: 80))];
        session.Engine.Resume();
        (List<int> Tokens, GenerationEvent Last)[] results = await Task.WhenAll(runs);

        for (int i = 0; i < results.Length; i++)
        {
            Assert.Equal((await RunAsync(sound.Engine, null, s_starts[i], 140, 80)).Tokens, results[i].Tokens);
        }

        Assert.Contains(_progress, line => line.Contains("ERN4009", StringComparison.Ordinal));
    }

    private static OptionSet Options(int pageCount) =>
        OptionSet.Defaults.With(DeviceRows.Device, "cpu").With(CapacityRows.MaxSequences, 4).With(CapacityRows.PageCount, pageCount);

    private Task<EngineSession> BuildAsync(OptionSet options)
    {
        void Note(string line)
        {
            lock (_progress)
            {
                _progress.Add(line);
            }
        }

        return new EngineBuilder(options) { Progress = Note }.BuildAsync();
    }

    private static async Task<(List<int> Tokens, GenerationEvent Last)> RunAsync(
        IEngine engine, string? sampler, int start, int promptLength = 5, int count = 6)
    {
        var request = new GenerationRequest
        {
            PromptTokens = [.. Enumerable.Range(start, promptLength)],
            MaxTokens = count,
            IgnoreEndTokens = true,
            Sampling = SamplingOptions.Greedy with { Sampler = sampler },
        };
        var tokens = new List<int>();
        GenerationEvent last = new();
        await foreach (GenerationEvent step in engine.GenerateAsync(request))
        {
            last = step;
            if (step.Token >= 0)
            {
                tokens.Add(step.Token);
            }
        }

        return (tokens, last);
    }
}
