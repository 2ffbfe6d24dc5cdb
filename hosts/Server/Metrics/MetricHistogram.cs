namespace Ernie.Server.Metrics;

/// <summary>A cumulative histogram with fixed bounds. Thread-safe; recording takes no lock.</summary>
/// <param name="bounds">Upper bounds, ascending, without +Inf.</param>
internal sealed class MetricHistogram(double[] bounds)
{
    /// <summary>Seconds from 0.1 ms to five minutes: a decode step and a long generation both land inside.</summary>
    public static double[] Seconds { get; } =
    [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
    ];

    private readonly long[] _counts = new long[bounds.Length + 1];
    private double _sum;

    /// <summary>Adds a value.</summary>
    public void Record(double value)
    {
        int bucket = Array.BinarySearch(bounds, value);
        Interlocked.Increment(ref _counts[bucket < 0 ? ~bucket : bucket]);
        double seen;
        do
        {
            seen = Volatile.Read(ref _sum);
        }
        while (Interlocked.CompareExchange(ref _sum, seen + value, seen) != seen);
    }

    /// <summary>Writes the histogram in Prometheus' text form.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="name">Metric name.</param>
    /// <param name="help">One line for people.</param>
    public void WriteTo(PrometheusWriter writer, string name, string help)
    {
        writer.Header(name, help, "histogram");
        long total = 0;
        for (int bucket = 0; bucket < bounds.Length; bucket++)
        {
            total += Volatile.Read(ref _counts[bucket]);
            writer.Sample(name + "_bucket", total, ("le", PrometheusWriter.Format(bounds[bucket])));
        }

        total += Volatile.Read(ref _counts[bounds.Length]);
        writer.Sample(name + "_bucket", total, ("le", "+Inf"));
        writer.Sample(name + "_sum", Volatile.Read(ref _sum));
        writer.Sample(name + "_count", total);
    }
}
