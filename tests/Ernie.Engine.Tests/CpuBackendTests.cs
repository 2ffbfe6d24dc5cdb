using Ernie.Caching;
using Ernie.Cpu;
using Ernie.Engine.Drafting;
using Ernie.Engine.Settings;
using Ernie.Engine.Tests.Fakes;
using Ernie.Execution;
using Ernie.Generation;
using Ernie.Models;
using Ernie.Samplers.Standard;
using Ernie.Sampling;
using Ernie.Testing;
using Ernie.Weights;

namespace Ernie.Engine.Tests;

/// <summary>Drafts and pooling over the CPU backend and a real model.</summary>
public sealed class CpuBackendTests : IDisposable
{
    private const int Length = 40;

    private static readonly int[] s_prompt = [1, .. Enumerable.Range(0, 90).Select(i => 300 + (i * 37 % 3000))];

    private readonly SafetensorsCheckpoint _checkpoint =
        SafetensorsCheckpoint.Open(Path.Combine(SharedFixtures.RepositoryRoot, "models", "tales", "model.safetensors"));

    public void Dispose() => _checkpoint.Dispose();

    [Theory]
    [InlineData("right", 0f)]
    [InlineData("wrong", 0f)]
    [InlineData("half", 0f)]
    [InlineData("right", 1f)]
    [InlineData("half", 1f)]
    public async Task Generate_WithDrafts_GivesTheTokensOfNone(string source, float temperature)
    {
        GenerationRequest request = new() { PromptTokens = s_prompt, MaxTokens = Length, Sampling = new SamplingOptions { Temperature = temperature, Seed = 5, RepetitionPenalty = 1.2f } };
        List<int> expected;
        await using (InferenceEngine without = Create())
        {
            expected = await Tokens(without, request);
        }

        int[] truth = [.. s_prompt, .. expected];
        await using InferenceEngine with = Create(drafts: new DelegateDrafts(
            4, tokens => truth.Skip(tokens.Length).Select((token, i) => source == "right" || (source == "half" && i < 2) ? token : (token + 1) % 4096)));

        Assert.Equal(expected, await Tokens(with, request));
        int perRow = source switch { "right" => 5, "half" => 3, _ => 1 };
        Assert.Equal(1 + ((Length - 1 + perRow - 1) / perRow), with.GetStatistics().Steps);
    }

    [Theory]
    [InlineData(PromptPooling.Mean)]
    [InlineData(PromptPooling.Last)]
    public async Task Generate_PooledPrompt_IsTheSameInChunks(PromptPooling pooling)
    {
        float[] expected = Pool(pooling);
        var request = new GenerationRequest { PromptTokens = s_prompt, MaxTokens = 0, Pooling = pooling };

        foreach (int step in (int[])[128, 32, 7])
        {
            await using InferenceEngine engine = Create(maxBatchedTokens: step);
            GenerationEvent only = await engine.GenerateAsync(request, TestContext.Current.CancellationToken).SingleAsync(TestContext.Current.CancellationToken);

            Assert.Equal((-1, FinishReason.Stop), (only.Token, only.FinishReason));
            Numeric.AssertClose(expected, only.Pooled!.ToArray(), Tolerance.Exact); // Asked for.
            Assert.Equal((s_prompt.Length + step - 1) / step, engine.GetStatistics().Steps);
        }
    }

    private float[] Pool(PromptPooling pooling)
    {
        using CpuExecutor executor = CreateExecutor();
        var batch = new StepBatch(executor.Info);
        for (int i = 0; i < batch.MaxPagesPerSequence; i++)
            batch.PageTable[i] = new PageId(i);
        s_prompt.CopyTo(batch.RowTokens(batch.Add(StepRow.Pool(0, 0, s_prompt.Length))));
        executor.Begin(batch);
        StepOutput output = executor.Complete();
        float[][] states = [.. Enumerable.Range(0, s_prompt.Length).Select(i => output.Hidden(0, i).ToArray())];
        return pooling == PromptPooling.Last ? states[^1] : [.. Enumerable.Range(0, states[0].Length).Select(i => (float)states.Average(state => (double)state[i]))];
    }

    private CpuExecutor CreateExecutor() => new(
        ModelRegistry.FindByName("tales")!.BuildOptimizedGraph(Ernie.Graph.QuantizationRecipe.None), // Compiled in.
        _checkpoint,
        new CpuOptions { Threads = 1, MaxSequences = 2, MaxBatchedTokens = 128, MaxModelLength = 256 });

    private InferenceEngine Create(int maxBatchedTokens = 128, IDraftSource? drafts = null) => new(CreateExecutor(), new EngineSettings
    {
        ModelName = "tales",
        Samplers = [new StandardSampler()],
        DefaultSampler = "standard",
        MaxBatchedTokens = maxBatchedTokens,
        Drafts = drafts,
    });

    private static async Task<List<int>> Tokens(InferenceEngine engine, GenerationRequest request)
    {
        var tokens = new List<int>();
        await foreach (GenerationEvent e in engine.GenerateAsync(request))
            tokens.Add(e.Token);
        return tokens;
    }
}
