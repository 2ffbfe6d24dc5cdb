namespace Ernie.Server.Metrics.Recording;

/// <summary>Measurements of which the last one counts.</summary>
internal sealed class LastSeries : MetricSeries
{
    /// <inheritdoc/>
    public override void WriteTo(PrometheusWriter writer, string name, ReadOnlySpan<(string Name, string Value)> labels) => writer.Sample(name, Last, labels);
}
