using System.Diagnostics.Metrics;
using Ernie.Server.Metrics.Catalogue;

namespace Ernie.Server.Metrics.Recording;

/// <summary>The measurements of one instrument: a series for those without tags and one for each set of tags.</summary>
internal sealed class MetricFamily
{
    private readonly Func<MetricSeries> _create;
    private readonly Lock _lock = new();
    private MetricSeries? _untagged;
    private TaggedSeries[] _tagged = [];

    /// <summary>Makes the family of an instrument.</summary>
    public MetricFamily(Instrument instrument)
    {
        Instrument = instrument;
        Type type = instrument.GetType().GetGenericTypeDefinition();
        Kind = type == typeof(Histogram<>) ? MetricKind.Histogram
            : type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? MetricKind.Counter
            : MetricKind.Gauge;
        double[] bounds = instrument.Unit == "s" ? MetricHistogram.Seconds : MetricHistogram.Counts;
        _create = Kind == MetricKind.Histogram ? () => new MetricHistogram(bounds)
            // An observable counter is told as a total, an up-down counter in changes.
            : type == typeof(Counter<>) || type == typeof(UpDownCounter<>) ? () => new SumSeries()
            : () => new LastSeries();
    }

    /// <summary>The instrument.</summary>
    public Instrument Instrument { get; }

    /// <summary>What Prometheus calls its type.</summary>
    public MetricKind Kind { get; }

    /// <summary>The last measurement without tags; 0 before the first.</summary>
    public double Last => _untagged?.Last ?? 0;

    /// <summary>Adds a measurement.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
        {
            MetricSeries series = Volatile.Read(ref _untagged) ?? Interlocked.CompareExchange(ref _untagged, _create(), null) ?? _untagged;
            series.Record(value);
            return;
        }

        (Find(tags) ?? AddSeries(tags)).Record(value);
    }

    /// <summary>Writes the samples of every series; those of an instrument without measurements are zero.</summary>
    public void WriteTo(PrometheusWriter writer, string name)
    {
        TaggedSeries[] tagged = Volatile.Read(ref _tagged);
        foreach (TaggedSeries series in tagged)
            series.Series.WriteTo(writer, name, series.Labels);
        if (_untagged is { } untagged)
            untagged.WriteTo(writer, name, []);
        else if (tagged.Length == 0)
            _create().WriteTo(writer, name, []);
    }

    private MetricSeries? Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (TaggedSeries series in Volatile.Read(ref _tagged))
        {
            if (series.Has(tags))
                return series.Series;
        }

        return null;
    }

    private MetricSeries AddSeries(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_lock)
        {
            if (Find(tags) is { } known)
                return known;
            var added = new TaggedSeries(tags.ToArray(), _create());
            Volatile.Write(ref _tagged, [.. _tagged, added]);
            return added.Series;
        }
    }

    private sealed class TaggedSeries(KeyValuePair<string, object?>[] tags, MetricSeries series)
    {
        public MetricSeries Series { get; } = series;

        public (string Name, string Value)[] Labels { get; } =
            [.. tags.Select(tag => (tag.Key, Convert.ToString(tag.Value, System.Globalization.CultureInfo.InvariantCulture) ?? ""))];

        public bool Has(ReadOnlySpan<KeyValuePair<string, object?>> others)
        {
            if (others.Length != tags.Length)
                return false;
            for (int index = 0; index < tags.Length; index++)
            {
                if (tags[index].Key != others[index].Key || !Equals(tags[index].Value, others[index].Value))
                    return false;
            }

            return true;
        }
    }
}
