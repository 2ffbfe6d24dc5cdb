using System.Diagnostics.Metrics;
using Ernie.Engine.Telemetry;
using Ernie.Engine.Tests.Fakes;

namespace Ernie.Engine.Tests;

// Not beside the allocation test: this listener's callback allocates on the threads of every engine in the process.
[Collection("process-wide meters")]
public sealed class MetricsTests
{
    [Fact]
    public async Task Instruments_OfTraffic_CountIt()
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

        // Other tests run engines beside this one: only the meter whose prompt counter saw 4242 tokens in all is looked at, after the fact.
        var perMeter = new Dictionary<Meter, Dictionary<string, (double Sum, int Count)>>();
        var reasons = new Dictionary<Meter, List<object?>>();
        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            lock (perMeter)
            {
                if (!perMeter.TryGetValue(instrument.Meter, out Dictionary<string, (double Sum, int Count)>? instruments))
                {
                    perMeter[instrument.Meter] = instruments = [];
                    reasons[instrument.Meter] = [];
                }

                (double sum, int count) = instruments.GetValueOrDefault(instrument.Name);
                instruments[instrument.Name] = (sum + value, count + 1);
                foreach (KeyValuePair<string, object?> tag in tags)
                {
                    reasons[instrument.Meter].Add(tag.Value);
                }
            }
        }

        listener.SetMeasurementEventCallback<double>((i, v, tags, _) => Add(i, v, tags));
        listener.SetMeasurementEventCallback<long>((i, v, tags, _) => Add(i, v, tags));
        listener.Start();
        await using var harness = new Harness(FakeExecutor.Limits(pages: 2048, length: 4096, batchedTokens: 512));

        await harness.Run(Harness.Greedy(Harness.Prompt(2121), 5));
        await harness.Run(Harness.Greedy(Harness.Prompt(2121), 1));
        await harness.UntilIdle();

        // The last token goes out before its step is measured; the loop answers a command between two steps.
        await harness.Engine.ResetPrefixCacheAsync();

        lock (perMeter)
        {
            Meter own = perMeter.Single(m => m.Value.GetValueOrDefault(EngineInstruments.PromptTokens).Sum == 4242).Key;
            Dictionary<string, (double Sum, int Count)> seen = perMeter[own];
            Assert.Equal(6, seen[EngineInstruments.GenerationTokens].Sum);
            Assert.Equal(2, seen[EngineInstruments.TimeToFirstToken].Count);
            Assert.Equal(4, seen[EngineInstruments.InterTokenLatency].Count);
            Assert.Equal(2, seen[EngineInstruments.RequestLatency].Count);
            Assert.Equal(2, seen[EngineInstruments.QueueTime].Count);
            Assert.Equal(2, seen[EngineInstruments.PrefillTime].Count);
            Assert.Equal(2, seen[EngineInstruments.DecodeTime].Count);
            Assert.Equal(1, seen[EngineInstruments.TimePerOutputToken].Count);
            Assert.Equal(4242, seen[EngineInstruments.PrefixCacheQueries].Sum);
            Assert.Equal(2120, seen[EngineInstruments.PrefixCacheHits].Sum);
            Assert.Equal(2121 + 4 + 1, seen[EngineInstruments.StepTokens].Sum);
            Assert.Equal(seen[EngineInstruments.StepTime].Count, seen[EngineInstruments.StepHostTime].Count);
            Assert.Equal(["length", "length"], reasons[own]);
        }
    }
}
