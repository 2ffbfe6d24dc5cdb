namespace Ernie.Server.Metrics.Recording;

/// <summary>The measurements of one instrument under one set of tags. Thread-safe; recording takes no lock and allocates nothing.</summary>
internal abstract class MetricSeries
{
    private double _last;

    /// <summary>The last measurement.</summary>
    public double Last => Volatile.Read(ref _last);

    /// <summary>Adds a measurement.</summary>
    public virtual void Record(double value) => Volatile.Write(ref _last, value);

    /// <summary>Writes the samples.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="name">Metric name.</param>
    /// <param name="labels">The tags.</param>
    public abstract void WriteTo(PrometheusWriter writer, string name, ReadOnlySpan<(string Name, string Value)> labels);

    /// <summary>Adds to a sum.</summary>
    protected static void Add(ref double sum, double value)
    {
        double seen;
        do
        {
            seen = Volatile.Read(ref sum);
        }
        while (Interlocked.CompareExchange(ref sum, seen + value, seen) != seen);
    }
}
