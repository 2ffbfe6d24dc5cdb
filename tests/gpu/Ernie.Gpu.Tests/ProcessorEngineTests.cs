using Ernie.Engine;
using Ernie.Engine.Settings;
using Ernie.Generation;
using Ernie.Kernels;
using Ernie.Samplers.Standard;
using Ernie.Sampling;

namespace Ernie.Gpu.Tests;

/// <summary>An engine over the GPU: requests that use processors get the text that the host draws for them.</summary>
public sealed class ProcessorEngineTests
{
    private static readonly int[] s_prompt = [3, 2732, 702, 264, 529];

    [Fact]
    public async Task Generate_WithProcessors_DrawsAsTheHost()
    {
        await using InferenceEngine engine = Create();
        List<int> free = await Run(engine, Request(SamplingOptions.Greedy));
        SamplingOptions[] ways =
        [
            SamplingOptions.Greedy with { BadWords = [[free[0]], [free[2], free[3]], [free[4], free[5], free[6]], [1, 2, 3, 4, 5]] },
            SamplingOptions.Greedy with { BadWords = [.. free.Zip(free.Skip(1), (a, b) => (int[])[a, b])] },
            SamplingOptions.Greedy with { RepetitionPenalty = 1.3f, BadWords = [[free[1]]], LogitBias = new Dictionary<int, float> { [free[0]] = -100 } },
            new() { Temperature = 0.9f, TopP = 0.9f, FrequencyPenalty = 0.3f, PresencePenalty = 0.2f, BadWords = [[free[0], free[1]], [265]], Seed = 4 },
        ];

        // One by one: logits of a batch are rounded otherwise.
        for (int i = 0; i < ways.Length; i++)
        {
            List<int> onDevice = await Run(engine, Request(ways[i]));
            Assert.Equal((i, string.Join(' ', await OnHost(engine, Request(ways[i])))), (i, string.Join(' ', onDevice)));
            Assert.True(i > 0 || !onDevice.Contains(free[0]));
        }
    }

    [Fact]
    public async Task Generate_WithAMask_DrawsWhatItAllows()
    {
        await using InferenceEngine engine = Create();
        GenerationRequest plain = Request(SamplingOptions.Greedy);
        GenerationRequest masked = Request(SamplingOptions.Greedy) with { TokenMask = new Residues() };

        Assert.Equal(string.Join(' ', await OnHost(engine, masked)), string.Join(' ', await Run(engine, masked)));

        // Beside a row without a mask.
        List<int>[] together = await Task.WhenAll(Run(engine, masked), Run(engine, plain), Run(engine, masked with { Sampling = new() { Temperature = 1, Seed = 3 } }));
        foreach (List<int> tokens in (List<int>[])[together[0], together[2]])
            Assert.All(Enumerable.Range(0, tokens.Count), i => Assert.True(i % 4 == 3 || tokens[i] % 7 == i % 7, $"token {tokens[i]} at {i}"));
    }

    private static InferenceEngine Create() => new(
        Gpu.Tales("bf16", options => options.Samplers = [new StandardSampler()]),
        new EngineSettings { ModelName = "tales", Samplers = [new StandardSampler()], DefaultSampler = "standard" });

    private static GenerationRequest Request(SamplingOptions options) => new() { PromptTokens = s_prompt, MaxTokens = 40, Sampling = options };

    // More rivals than the device tells are the host's work: this is the same request, drawn there.
    private static Task<List<int>> OnHost(InferenceEngine engine, GenerationRequest request) =>
        Run(engine, request with { Logprobs = LogProbabilityKernel.MostRivals + 1 });

    private static async Task<List<int>> Run(InferenceEngine engine, GenerationRequest request)
    {
        List<int> tokens = [];
        await foreach (GenerationEvent e in engine.GenerateAsync(request))
            tokens.Add(e.Token);
        return tokens;
    }

    /// <summary>At each position tokens of one residue, but any at every fourth.</summary>
    private sealed class Residues : ITokenMask
    {
        public bool TryWrite(ReadOnlySpan<int> output, Span<uint> allowed)
        {
            if (output.Length % 4 == 3)
                return false;

            allowed.Clear();
            for (int token = output.Length % 7; token < 4096; token += 7)
                allowed[token / 32] |= 1u << (token % 32);
            return true;
        }
    }
}
