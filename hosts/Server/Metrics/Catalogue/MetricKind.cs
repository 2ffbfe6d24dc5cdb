namespace Ernie.Server.Metrics.Catalogue;

/// <summary>Type of a metric, as Prometheus has them.</summary>
internal enum MetricKind
{
    /// <summary>A total that only rises; its name ends in <c>_total</c>.</summary>
    Counter,

    /// <summary>A value of now.</summary>
    Gauge,

    /// <summary>A distribution, as cumulative buckets.</summary>
    Histogram,
}
