using Ernie.Engine.Tests.Fakes;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Tests;

/// <summary>Rows that the device ends, with a step queued ahead that does not know of it.</summary>
public sealed class DeviceEndTests
{
    private const int MaxTokens = 30, ModelLength = 48;

    public static TheoryData<string> Requests => new("none", "end", "stop", "first", "min-tokens", "ignored", "one-token", "model-length");

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Generate_StepsQueuedAhead_DrawNothingForARowThatEnded(string kind)
    {
        FakeDeviceExecutor executor = new(FakeExecutor.Limits(depth: 2, length: ModelLength));
        await using var onDevice = new Harness(executor: executor);
        await using var onHost = new Harness(FakeExecutor.Limits(length: ModelLength));
        GenerationRequest request = Request(kind, onHost);

        List<GenerationEvent> events = await onDevice.Run(request), expected = await onHost.Run(request);

        Assert.Equal(Harness.TokensOf(expected), Harness.TokensOf(events));
        Assert.Equal((expected[^1].FinishReason, expected[^1].StopToken), (events[^1].FinishReason, events[^1].StopToken));
        await onDevice.UntilIdle();
        Assert.Equal((1, events.Count), (executor.SlotsSet, executor.Draws));
    }

    [Fact]
    public async Task Generate_ManyThatEndInDifferentSteps_ReuseTheirSlots()
    {
        FakeDeviceExecutor executor = new(FakeExecutor.Limits(depth: 2, sequences: 3, length: ModelLength, pages: 40));
        await using var onDevice = new Harness(executor: executor);
        await using var onHost = new Harness(FakeExecutor.Limits(length: ModelLength));
        GenerationRequest[] requests =
        [
            .. Enumerable.Range(0, 40).Select(i => Harness.Greedy(Harness.Prompt(3 + (i % 11), i), 1 + (i % 9)) with { StopTokens = [i % 50, (i * 7) % 50] }),
        ];

        List<GenerationEvent>[] all = await onDevice.Together(requests);

        for (int i = 0; i < requests.Length; i++)
        {
            List<GenerationEvent> expected = await onHost.Run(requests[i]);
            Assert.Equal(Harness.TokensOf(expected), Harness.TokensOf(all[i]));
            Assert.Equal(expected[^1].FinishReason, all[i][^1].FinishReason);
        }

        await onDevice.UntilIdle();
        Assert.Equal((requests.Length, all.Sum(events => events.Count)), (executor.SlotsSet, executor.Draws));
    }

    [Theory]
    [InlineData(4, 3, true)]
    [InlineData(5, 3, false)]
    [InlineData(4, 4, false)]
    public async Task Generate_ListsAroundTheDevicesLimits_AreKeptThereOrDrawnHere(int stops, int biases, bool isOnDevice)
    {
        FakeDeviceExecutor executor = new(FakeExecutor.Limits(depth: 2));
        await using var harness = new Harness(executor: executor);
        int[] prompt = Harness.Prompt(7);
        List<int> free = harness.Expected(prompt, 40);
        // The last of the list is the one that ends the text; the others do not occur before it.
        int at = Enumerable.Range(8, 30).First(i => free.IndexOf(free[i]) == i);
        int[] list = [.. Enumerable.Range(0, 50).Where(token => !free[..(at + 1)].Contains(token)).Take(stops - 1), free[at]];

        List<GenerationEvent> events = await harness.Run(Harness.Greedy(prompt, 40) with
        {
            StopTokens = list,
            Sampling = SamplingOptions.Greedy with { LogitBias = Enumerable.Range(0, biases).ToDictionary(token => token, _ => 0f) },
        });

        Assert.Equal(free[..(at + 1)], Harness.TokensOf(events));
        Assert.Equal((FinishReason.Stop, (int?)free[at]), (events[^1].FinishReason, events[^1].StopToken));
        Assert.Equal(isOnDevice ? 1 : 0, executor.SlotsSet);
    }

    [Fact]
    public async Task Generate_DeviceThatFallsSilent_FailsTheRequestAlone()
    {
        FakeDeviceExecutor executor = new(FakeExecutor.Limits(depth: 2)) { SilentFrom = 20 };
        await using var harness = new Harness(executor: executor);

        List<GenerationEvent>[] all = await harness.Together([Harness.Greedy(Harness.Prompt(10), 30), Harness.Greedy(Harness.Prompt(10, 2), 8)]);

        Assert.Equal((FinishReason.Error, FinishReason.Length), (all[0][^1].FinishReason, all[1][^1].FinishReason));
        Assert.Contains("20 tokens of 40", all[0][^1].Error, StringComparison.Ordinal);
    }

    private static GenerationRequest Request(string kind, Harness harness)
    {
        int[] prompt = Harness.Prompt(9, 5);
        List<int> free = harness.Expected(prompt, MaxTokens);
        int stop = free[11];
        GenerationRequest request = Harness.Greedy(prompt, MaxTokens);
        return kind switch
        {
            "end" => request with { EndTokens = [stop] },
            "stop" => request with { StopTokens = [stop, 1], EndTokens = [stop] },
            "first" => request with { StopTokens = [free[0]] },
            "min-tokens" => request with { EndTokens = [free[3], stop], Sampling = SamplingOptions.Greedy with { MinTokens = 7 } },
            "ignored" => request with { EndTokens = [stop], IgnoreEndTokens = true },
            "one-token" => request with { MaxTokens = 1 },
            "model-length" => request with { MaxTokens = 1000 },
            _ => request,
        };
    }
}
