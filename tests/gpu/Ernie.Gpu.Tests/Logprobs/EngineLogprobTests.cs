using Ernie.Engine;
using Ernie.Engine.Settings;
using Ernie.Generation;
using Ernie.Kernels;
using Ernie.Samplers.Standard;
using Ernie.Sampling;

namespace Ernie.Gpu.Tests.Logprobs;

/// <summary>An engine over the GPU: what requests are told is what the host tells when they ask for more than the device does.</summary>
public sealed class EngineLogprobTests
{
    public static TheoryData<LogprobsMode> Modes => new(Enum.GetValues<LogprobsMode>());

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Generate_WithLogprobs_TellsWhatTheHostTells(LogprobsMode mode)
    {
        await using InferenceEngine engine = new(
            Gpu.Tales("bf16", options => options.Samplers = [new StandardSampler()]),
            new EngineSettings { ModelName = "tales", Samplers = [new StandardSampler()], DefaultSampler = "standard", LogprobsMode = mode });
        GenerationRequest request = new()
        {
            PromptTokens = [3, 2732, 702, 264, 529],
            MaxTokens = 30,
            Sampling = new SamplingOptions { Temperature = 0, RepetitionPenalty = 1.2f, LogitBias = new Dictionary<int, float> { [281] = -100, [300] = 1 } },
            Logprobs = LogProbabilityKernel.MostRivals,
        };

        List<GenerationEvent> onDevice = await Run(engine, request);
        List<GenerationEvent> onHost = await Run(engine, request with { Logprobs = LogProbabilityKernel.MostRivals + 1 });

        Assert.Equal(onHost.Select(e => e.Token), onDevice.Select(e => e.Token));
        for (int i = 0; i < onDevice.Count; i++)
        {
            // Both are of the same kernels' logits.
            AssertClose($"token {i}", onHost[i].Logprobs, onDevice[i].Logprobs, LogProbabilityKernel.MostRivals, 1e-4f);
            Assert.Equal(onHost[i].Logprobs?.Rank, onDevice[i].Logprobs?.Rank);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(20)]
    public async Task Generate_WithPromptLogprobs_TellsWhatTheHostTells(int rivals)
    {
        await using InferenceEngine engine = new(
            Gpu.Tales("bf16", options => options.Samplers = [new StandardSampler()]),
            new EngineSettings { ModelName = "tales", Samplers = [new StandardSampler()], DefaultSampler = "standard" });
        Random random = new(3);
        GenerationRequest request = new()
        {
            PromptTokens = [3, 2732, 702, 264, 529, .. Enumerable.Range(0, 300).Select(_ => random.Next(300, 4000))],
            MaxTokens = 2,
            Sampling = SamplingOptions.Greedy,
            PromptLogprobs = rivals,
        };

        GenerationEvent onDevice = (await Run(engine, request))[0];
        GenerationEvent onHost = (await Run(engine, request with { PromptLogprobs = LogProbabilityKernel.MostRivals + 1 }))[0];

        Assert.NotNull(onDevice.PromptLogprobs);
        Assert.Equal(request.PromptTokens.Count, onDevice.PromptLogprobs.Count);
        Assert.Null(onDevice.PromptLogprobs[0]);
        // The host takes them of smaller steps, whose kernels round otherwise: some hundredths of a logit.
        for (int position = 1; position < request.PromptTokens.Count; position++)
            AssertClose($"prompt {position}", onHost.PromptLogprobs?[position], onDevice.PromptLogprobs[position], rivals, 0.25f);
    }

    private static void AssertClose(string what, TokenLogprobs? host, TokenLogprobs? device, int rivals, float tolerance)
    {
        Assert.NotNull(host);
        Assert.NotNull(device);
        Assert.Equal((what, host.Token), (what, device.Token));
        Assert.Equal(host.Logprob, device.Logprob, tolerance);
        Assert.Equal((what, rivals), (what, device.Top.Count));
        Assert.All(Enumerable.Range(0, rivals), i => Assert.Equal(host.Top[i].Logprob, device.Top[i].Logprob, tolerance));
    }

    private static async Task<List<GenerationEvent>> Run(InferenceEngine engine, GenerationRequest request)
    {
        List<GenerationEvent> events = [];
        await foreach (GenerationEvent e in engine.GenerateAsync(request))
            events.Add(e);
        return events;
    }
}
