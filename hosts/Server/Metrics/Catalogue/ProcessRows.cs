using System.Diagnostics;
using Ernie.Server.Connections;

namespace Ernie.Server.Metrics.Catalogue;

/// <summary>Metrics of the HTTP server and of the process, under the names that Prometheus' own clients give them.</summary>
internal static class ProcessRows
{
    /// <summary>The rows.</summary>
    public static IReadOnlyList<MetricRow> All { get; } =
    [
        MetricRow.Of(InstrumentNames.Requests, "http_requests_total", MetricKind.Counter, "HTTP requests by path, method and status."),
        MetricRow.Histogram(InstrumentNames.Durations, "http_request_duration_seconds", "Duration of HTTP requests by path and method."),
        MetricRow.Of(InstrumentNames.Refusals, "ernie_requests_refused_total", MetricKind.Counter, "Requests that ended in an error, by its code and status."),
        MetricRow.Gauge("ernie_connections", "Connections open.", view => view.Server.Connections.Open),
        MetricRow.Gauge("ernie_max_connections", "Connections that may be open.", view => view.Server.Connections.Most),
        MetricRow.Counter("ernie_connections_refused_total", "Connections closed because others filled the limit.", view => view.Server.Connections.Refused),
        MetricRow.Gauge("process_open_fds", "Handles open.", _ => HandleLimit.CountOpen()),
        MetricRow.Gauge("process_max_fds", "Handles that may be open.", _ => HandleLimit.Read()?.Soft ?? 0),
        Process("process_resident_memory_bytes", MetricKind.Gauge, "Memory in use, in bytes.", process => process.WorkingSet64),
        Process("process_virtual_memory_bytes", MetricKind.Gauge, "Address space in use, in bytes.", process => process.VirtualMemorySize64),
        Process("process_cpu_seconds_total", MetricKind.Counter, "Processor time, in seconds.", process => process.TotalProcessorTime.TotalSeconds),
        Process("process_start_time_seconds", MetricKind.Gauge, "When the process began, in seconds since 1970.", process =>
            new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0),
    ];

    private static MetricRow Process(string name, MetricKind kind, string help, Func<Process, double> value) => new(name, kind, help, (writer, _) =>
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        writer.Sample(name, value(process));
    });
}
