using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Ernie.Server.Metrics;

/// <summary>Listens to a meter's instruments and keeps their totals for <c>/metrics</c>.</summary>
internal sealed class MeterRecorder : IDisposable
{
    private static readonly double[] s_counts = [1, 4, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072];

    private readonly MeterListener _listener = new();
    // By name: an engine that is built again publishes its instruments again.
    private readonly ConcurrentDictionary<string, (Instrument Instrument, State State)> _states = new(StringComparer.Ordinal);

    /// <summary>Starts listening.</summary>
    /// <param name="meterName">Meters of this name.</param>
    /// <param name="scopes">Of these owners; a meter without an owner is taken too.</param>
    public MeterRecorder(string meterName, IReadOnlyList<object> scopes)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == meterName && (instrument.Meter.Scope is not { } scope || scopes.Any(known => ReferenceEquals(known, scope))))
                listener.EnableMeasurementEvents(instrument, _states.GetOrAdd(instrument.Name, _ => (instrument, CreateState(instrument))).State);
        };
        _listener.SetMeasurementEventCallback<double>(static (_, value, _, state) => ((State)state!).Record(value));
        _listener.SetMeasurementEventCallback<float>(static (_, value, _, state) => ((State)state!).Record(value));
        _listener.SetMeasurementEventCallback<long>(static (_, value, _, state) => ((State)state!).Record(value));
        _listener.SetMeasurementEventCallback<int>(static (_, value, _, state) => ((State)state!).Record(value));
        _listener.Start();
    }

    /// <summary>Writes every instrument under all of its names.</summary>
    public void WriteTo(PrometheusWriter writer)
    {
        _listener.RecordObservableInstruments();
        foreach ((Instrument instrument, State state) in _states.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Value))
        {
            string help = string.IsNullOrEmpty(instrument.Description) ? instrument.Name : instrument.Description;
            foreach (string name in MetricNames.Exported(instrument.Name, instrument.Unit))
                state.WriteTo(writer, name, help);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private static State CreateState(Instrument instrument)
    {
        Type type = instrument.GetType().GetGenericTypeDefinition();
        if (type == typeof(Histogram<>))
            return new HistogramState(instrument.Unit == "s" ? MetricHistogram.Seconds : s_counts);
        if (type == typeof(Counter<>))
            return new CounterState();
        return type == typeof(UpDownCounter<>) ? new UpDownState() : new GaugeState(type == typeof(ObservableCounter<>) ? "counter" : "gauge");
    }

    private abstract class State
    {
        public abstract void Record(double value);

        public abstract void WriteTo(PrometheusWriter writer, string name, string help);
    }

    private sealed class HistogramState(double[] bounds) : State
    {
        private readonly MetricHistogram _histogram = new(bounds);

        public override void Record(double value) => _histogram.Record(value);

        public override void WriteTo(PrometheusWriter writer, string name, string help) => _histogram.WriteTo(writer, name, help);
    }

    private abstract class SumState : State
    {
        private double _sum;

        protected double Sum => Volatile.Read(ref _sum);

        public override void Record(double value)
        {
            double seen;
            do
            {
                seen = Volatile.Read(ref _sum);
            }
            while (Interlocked.CompareExchange(ref _sum, seen + value, seen) != seen);
        }
    }

    private sealed class CounterState : SumState
    {
        public override void WriteTo(PrometheusWriter writer, string name, string help) =>
            writer.Single(name.EndsWith("_total", StringComparison.Ordinal) ? name : name + "_total", help, "counter", Sum);
    }

    private sealed class UpDownState : SumState
    {
        public override void WriteTo(PrometheusWriter writer, string name, string help) => writer.Single(name, help, "gauge", Sum);
    }

    private sealed class GaugeState(string type) : State
    {
        private double _last;

        public override void Record(double value) => Volatile.Write(ref _last, value);

        public override void WriteTo(PrometheusWriter writer, string name, string help) => writer.Single(name, help, type, Volatile.Read(ref _last));
    }
}
