namespace Ernie.Server.Metrics.Recording;

/// <summary>A cumulative histogram with fixed bounds.</summary>
/// <param name="bounds">Upper bounds, ascending, without +Inf.</param>
internal sealed class MetricHistogram(double[] bounds) : MetricSeries
{
    private readonly long[] _counts = new long[bounds.Length + 1];
    private double _sum;

    /// <summary>Seconds from 0.1 ms to five minutes: a decode step and a long generation both land inside.</summary>
    public static double[] Seconds { get; } =
    [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
    ];

    /// <summary>Counts, of tokens mostly.</summary>
    public static double[] Counts { get; } = [1, 4, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072];

    /// <inheritdoc/>
    public override void Record(double value)
    {
        base.Record(value);
        int bucket = Array.BinarySearch(bounds, value);
        Interlocked.Increment(ref _counts[bucket < 0 ? ~bucket : bucket]);
        Add(ref _sum, value);
    }

    /// <inheritdoc/>
    public override void WriteTo(PrometheusWriter writer, string name, ReadOnlySpan<(string Name, string Value)> labels)
    {
        long total = 0;
        for (int bucket = 0; bucket <= bounds.Length; bucket++)
        {
            total += Volatile.Read(ref _counts[bucket]);
            string bound = bucket < bounds.Length ? PrometheusWriter.Format(bounds[bucket]) : "+Inf";
            writer.Sample(name + "_bucket", total, [.. labels, ("le", bound)]);
        }

        writer.Sample(name + "_sum", Volatile.Read(ref _sum), labels);
        writer.Sample(name + "_count", total, labels);
    }
}
