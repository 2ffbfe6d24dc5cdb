using Ernie.Server.Metrics.Recording;

namespace Ernie.Server.Metrics.Catalogue;

/// <summary>One metric of another server's documentation under its exact name: what it means here and where its value comes from.</summary>
/// <param name="Name">Name at <c>/metrics</c>.</param>
/// <param name="Kind">Type.</param>
/// <param name="Help">One line for people.</param>
/// <param name="Write">Writes the samples.</param>
internal sealed record MetricRow(string Name, MetricKind Kind, string Help, Action<PrometheusWriter, MetricView> Write)
{
    /// <summary>Whether the metric is of something that this server does not have: it is zero, and the help says why.</summary>
    public bool IsAbsent { get; init; }

    /// <summary>A gauge with one sample.</summary>
    public static MetricRow Gauge(string name, string help, Func<MetricView, double> value) =>
        new(name, MetricKind.Gauge, help, (writer, view) => writer.Sample(name, value(view)));

    /// <summary>A counter with one sample.</summary>
    public static MetricRow Counter(string name, string help, Func<MetricView, double> value) =>
        new(name, MetricKind.Counter, help, (writer, view) => writer.Sample(name, value(view)));

    /// <summary>The measurements of an instrument, with its tags as labels.</summary>
    public static MetricRow Of(string instrument, string name, MetricKind kind, string help) => new(name, kind, help, (writer, view) =>
    {
        if (view.Recorder.Find(instrument) is { } family)
            family.WriteTo(writer, name);
        else
            Zero(writer, name, kind);
    });

    /// <summary>The distribution that an instrument measures.</summary>
    public static MetricRow Histogram(string instrument, string name, string help) => Of(instrument, name, MetricKind.Histogram, help);

    /// <summary>A metric of something that does not exist here.</summary>
    public static MetricRow Absent(string name, MetricKind kind, string why) =>
        new(name, kind, $"Always 0: {why}.", (writer, _) => Zero(writer, name, kind)) { IsAbsent = true };

    private static void Zero(PrometheusWriter writer, string name, MetricKind kind)
    {
        if (kind == MetricKind.Histogram)
            new MetricHistogram([]).WriteTo(writer, name, []);
        else
            writer.Sample(name, 0);
    }
}
