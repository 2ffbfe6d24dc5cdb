namespace Ernie.Server.Metrics.Recording;

/// <summary>Measurements that add up.</summary>
internal sealed class SumSeries : MetricSeries
{
    private double _sum;

    /// <inheritdoc/>
    public override void Record(double value) => Add(ref _sum, value);

    /// <inheritdoc/>
    public override void WriteTo(PrometheusWriter writer, string name, ReadOnlySpan<(string Name, string Value)> labels) => writer.Sample(name, Volatile.Read(ref _sum), labels);
}
