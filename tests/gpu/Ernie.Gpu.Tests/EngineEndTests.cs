using Ernie.Engine;
using Ernie.Engine.Settings;
using Ernie.Generation;
using Ernie.Kernels;
using Ernie.Samplers.Standard;
using Ernie.Sampling;

namespace Ernie.Gpu.Tests;

/// <summary>An engine over the GPU: where the device ends a request, the engine's own rule ends it too.</summary>
public sealed class EngineEndTests
{
    private static readonly int[] s_prompt = [3, 2732, 702, 264, 529];

    [Fact]
    public async Task Generate_DrawnOnTheDeviceOrTheHost_EndsAlike()
    {
        await using InferenceEngine engine = Create();
        List<int> free = [.. (await Run(engine, Request(60))).Select(e => e.Token)];
        int stop = free[Enumerable.Range(20, 40).First(i => free.IndexOf(free[i]) == i)];
        int[] many = [.. Enumerable.Range(1000, 3000).Except(free).Take(31), stop];
        (string What, GenerationRequest Request)[] requests =
        [
            ("length", Request(17)),
            ("one token", Request(1)),
            ("end token", Request(60) with { EndTokens = [stop] }),
            ("ignored end token", Request(60) with { EndTokens = [stop], IgnoreEndTokens = true }),
            ("stop token", Request(60) with { StopTokens = [stop], EndTokens = [2] }),
            ("32 stop tokens", Request(60) with { StopTokens = many }),
            ("33 stop tokens", Request(60) with { StopTokens = [999, .. many] }),
            ("min tokens", Request(60) with { StopTokens = [.. free.Distinct().Take(32)], Sampling = SamplingOptions.Greedy with { MinTokens = 9 } }),
            ("first token", Request(60) with { StopTokens = [free[0]] }),
        ];

        foreach ((string what, GenerationRequest request) in requests)
        {
            List<GenerationEvent> onDevice = await Run(engine, request);
            // More rivals than the device tells are the host's work: this is the same request, drawn and ended there.
            List<GenerationEvent> onHost = await Run(engine, request with { Logprobs = LogProbabilityKernel.MostRivals + 1 });

            Assert.Equal((what, string.Join(' ', onHost.Select(e => e.Token))), (what, string.Join(' ', onDevice.Select(e => e.Token))));
            Assert.Equal((what, onHost[^1].FinishReason, onHost[^1].StopToken), (what, onDevice[^1].FinishReason, onDevice[^1].StopToken));
        }
    }

    [Fact]
    public async Task Generate_MoreRequestsThanSlots_EachHasItsOwnEnd()
    {
        await using InferenceEngine engine = Create();
        GenerationRequest[] requests = [.. Enumerable.Range(0, 40).Select(i => Request(1 + (i % 13)) with { PromptTokens = [3, 700 + (i % 5), 264] })];

        List<GenerationEvent>[] all = await Task.WhenAll(requests.Select(request => Run(engine, request)));

        for (int i = 0; i < requests.Length; i++)
            Assert.Equal((i, requests[i].MaxTokens, FinishReason.Length), (i, all[i].Count, all[i][^1].FinishReason));
    }

    private static InferenceEngine Create() => new(
        Gpu.Tales("bf16", options =>
        {
            options.MaxSequences = 4;
            options.Samplers = [new StandardSampler()];
        }),
        new EngineSettings { ModelName = "tales", Samplers = [new StandardSampler()], DefaultSampler = "standard" });

    private static GenerationRequest Request(int maxTokens) => new() { PromptTokens = s_prompt, MaxTokens = maxTokens, Sampling = SamplingOptions.Greedy };

    private static async Task<List<GenerationEvent>> Run(InferenceEngine engine, GenerationRequest request)
    {
        List<GenerationEvent> events = [];
        await foreach (GenerationEvent e in engine.GenerateAsync(request))
            events.Add(e);
        return events;
    }
}
