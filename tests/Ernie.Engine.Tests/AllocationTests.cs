using System.Diagnostics.Metrics;
using Ernie.Engine.Telemetry;
using Ernie.Engine.Tests.Fakes;
using Ernie.Execution;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Engine.Tests;

[Collection("process-wide meters")]
public sealed class AllocationTests
{
    [Theory]
    [InlineData(1, false, false)]
    [InlineData(2, true, false)]
    [InlineData(1, false, true)]
    [InlineData(2, true, true)]
    public async Task Loop_DecodeSteps_AllocateNothing(int depth, bool device, bool drafts)
    {
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == EngineInstruments.MeterName)
                {
                    l.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>(static (_, _, _, _) => { });
        listener.SetMeasurementEventCallback<long>(static (_, _, _, _) => { });
        listener.Start();
        ExecutorInfo info = FakeExecutor.Limits(pages: 1024, tokensPerPage: 64, sequences: 8, length: 4096, depth: depth);
        int drawn = 0;
        var counting = new DelegateSampler("counting", (ref SamplingRow row) =>
        {
            Interlocked.Increment(ref drawn);
            return row.Logits.IndexOf(Max(row.Logits));
        });
        await using var harness = new Harness(
            executor: device ? new FakeDeviceExecutor(info) { MaxDrafts = 4 } : new FakeExecutor(info),
            samplers: [counting], drafts: drafts ? new GuessedDrafts(4, info.VocabularySize) : null);

        // A reader that lags makes its buffer grow, which is not what is measured: each step waits until the tokens before it were read.
        int read = 0;
        bool finished = false;
        harness.Executor.OnComplete = () =>
        {
            var spin = new SpinWait();
            while (Volatile.Read(ref read) < (drafts ? Volatile.Read(ref drawn) : harness.Executor.TokensDrawn) && !Volatile.Read(ref finished))
            {
                spin.SpinOnce();
            }
        };
        async Task Read(GenerationRequest request)
        {
            await foreach (GenerationEvent _ in harness.Engine.GenerateAsync(request))
            {
                Interlocked.Increment(ref read);
            }
        }

        SamplingOptions[] options =
        [
            SamplingOptions.Greedy,
            new() { Temperature = 0.8f, TopP = 0.8f, Seed = 1 },
            new() { Temperature = 1, TopK = 20, MinP = 0.01f, Seed = 2 },
            new() { Temperature = 1, RepetitionPenalty = 1.1f, FrequencyPenalty = 0.1f, PresencePenalty = 0.1f, Seed = 3 },
            new() { Temperature = 1, Seed = 4, BadWords = [[3, 4], [5]], LogitBias = new Dictionary<int, float> { [2] = 3, [9] = -100 }, MinTokens = 10 },
            new() { Temperature = 1, Seed = 5 },
            new() { Temperature = 1, Seed = 6 },
        ];
        List<Task> running = [.. options.Select((o, i) => Read(new GenerationRequest
        {
            PromptTokens = Harness.Prompt(10, i),
            MaxTokens = 4000,
            Sampling = drafts ? o with { Sampler = "counting" } : o,
            EndTokens = i == 4 ? [7] : [],
            IgnoreEndTokens = false,
            // A device tells of three rivals; more are the host's.
            Logprobs = i == 5 ? 5 : i == 6 ? 3 : null,
        }))];

        // Tiered compilation and the thread pool settle first. What a step allocates shows in every window; a thread that the
        // pool adds while a reader is woken shows in one.
        int windowSteps = drafts ? 60 : 300;
        await harness.Until(s => s.Steps > (drafts ? 200 : 500));
        long least = long.MaxValue;
        for (int window = 0; window < 8 && least > 0; window++)
        {
            long from = harness.Engine.GetStatistics().Steps;
            long before = harness.Engine.LoopAllocatedBytes;
            long to = (await harness.Until(s => s.Steps > from + windowSteps)).Steps;
            least = Math.Min(least, harness.Engine.LoopAllocatedBytes - before);
            Assert.True(to < 3900, "the requests ended before the window did");
        }

        Assert.Equal(0, least);
        Volatile.Write(ref finished, true);
        await harness.Engine.AbortAllAsync();
        await Task.WhenAll(running);
    }

    private static float Max(ReadOnlySpan<float> values)
    {
        float max = float.NegativeInfinity;
        foreach (float value in values)
        {
            max = MathF.Max(max, value);
        }

        return max;
    }
}
