using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Ernie.Server.Metrics.Recording;

/// <summary>Listens to a meter's instruments and keeps their measurements, tags included, for <c>/metrics</c>.</summary>
internal sealed class MeterRecorder : IDisposable
{
    private readonly MeterListener _listener = new();
    // By name: an engine that is built again publishes its instruments again.
    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);

    /// <summary>Starts listening.</summary>
    /// <param name="meterName">Meters of this name.</param>
    /// <param name="scopes">Of these owners; a meter without an owner is taken too.</param>
    public MeterRecorder(string meterName, IReadOnlyList<object> scopes)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == meterName && (instrument.Meter.Scope is not { } scope || scopes.Any(known => ReferenceEquals(known, scope))))
                listener.EnableMeasurementEvents(instrument, _families.GetOrAdd(instrument.Name, _ => new MetricFamily(instrument)));
        };
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<float>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>What is known of every instrument, by name.</summary>
    public IEnumerable<MetricFamily> Families => _families.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Value);

    /// <summary>What is known of one; null for an instrument that nobody published.</summary>
    public MetricFamily? Find(string instrument) => _families.GetValueOrDefault(instrument);

    /// <summary>Asks the observable instruments for their values.</summary>
    public void Observe() => _listener.RecordObservableInstruments();

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();
}
