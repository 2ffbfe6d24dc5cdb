using System.Runtime.InteropServices;
using Ernie.Cuda;
using Ernie.Engine;
using Ernie.Engine.Settings;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Gpu.Tests;

/// <summary>Requests that leave their slot and come back, with a sampler whose state is on the device.</summary>
public sealed class PreemptionTests
{
    private const int Requests = 4, Tokens = 300;

    [Fact]
    public async Task Generate_WithFewPages_TakesTheSamplersStateAlong()
    {
        (int[][] undisturbed, long none) = await Run(pages: 40);

        (int[][] disturbed, long preemptions) = await Run(pages: 12);

        Assert.Equal(0, none);
        Assert.True(preemptions > 0, "12 pages of 64 tokens were to be too few for 4 requests of 320");
        Assert.Equal(undisturbed, disturbed);
        Assert.All(undisturbed, tokens => Assert.Equal(Enumerable.Range(1, Tokens), tokens.Select(token => token / CountingSampler.Choices)));
    }

    private static async Task<(int[][] Tokens, long Preemptions)> Run(int pages)
    {
        CountingSampler sampler = new();
        CudaExecutor executor = Gpu.Tales("bf16", options =>
        {
            options.MaxSequences = Requests;
            options.MaxModelLength = 384;
            options.PageCount = pages;
            options.Samplers = [sampler];
        });
        Assert.True(executor.Supports(sampler));
        await using InferenceEngine engine = new(executor, new EngineSettings { ModelName = "tales", Samplers = [sampler], DefaultSampler = sampler.Name });
        engine.Pause();
        Task<int[]>[] runs = [.. Enumerable.Range(0, Requests).Select(request => Generate(engine, request))];
        engine.Resume();
        int[][] tokens = await Task.WhenAll(runs);
        return (tokens, engine.GetStatistics().Preemptions);
    }

    private static async Task<int[]> Generate(InferenceEngine engine, int seed)
    {
        GenerationRequest request = new()
        {
            PromptTokens = [3, 2732, 702, .. Enumerable.Range(300, 10 + seed)],
            MaxTokens = Tokens,
            Sampling = new SamplingOptions { Seed = (ulong)seed },
        };
        List<int> tokens = [];
        await foreach (GenerationEvent e in engine.GenerateAsync(request))
        {
            Assert.Null(e.Error);
            tokens.Add(e.Token);
        }

        return [.. tokens.Where(token => token >= 0)];
    }

    /// <summary>Counts its draws in the scratch block; logits, which depend on the batch in their last bits, do not matter to it.</summary>
    private sealed class CountingSampler : ISampler
    {
        public const int Choices = 8;

        private const string Form = """
            struct CountingSampler {
                template <class Row>
                static __device__ int sample(Row& row) {
                    int& drawn = *reinterpret_cast<int*>(row.head().state);
                    const int count = drawn + 1;
                    __syncthreads();
                    if (row.is_leader()) drawn = count;
                    return count * 8 + row.head().random.block(0).x % 8;
                }
            };
            """;

        public string Name => "counts";

        public int ParameterBytes => 0;

        public SamplerNeeds Needs => SamplerNeeds.Scratch;

        public int ScratchBytes => sizeof(int);

        public DeviceSnippet? Device { get; } = new("CountingSampler", Form);

        public void WriteParameters(SamplingOptions options, Span<byte> destination)
        {
        }

        public int Sample(ref SamplingRow row)
        {
            ref int drawn = ref MemoryMarshal.Cast<byte, int>(row.Scratch)[0];
            return (++drawn * Choices) + (int)(row.Random.NextUInt32() % Choices);
        }
    }
}
