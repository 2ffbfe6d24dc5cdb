using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace Ernie.Server.Metrics;

/// <summary>Counts and times HTTP requests.</summary>
internal sealed class HttpMetrics
{
    private static readonly HashSet<string> s_methods = new(StringComparer.Ordinal) { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

    private readonly Counter<long> _requests;
    private readonly Histogram<double> _durations;

    /// <summary>Makes the instruments.</summary>
    public HttpMetrics(Meter meter)
    {
        _requests = meter.CreateCounter<long>(InstrumentNames.Requests, "{request}", "HTTP requests.");
        _durations = meter.CreateHistogram<double>(InstrumentNames.Durations, "s", "Duration of HTTP requests.");
    }

    /// <summary>Records the end of a request.</summary>
    /// <param name="method">Method.</param>
    /// <param name="handler">Pattern of the path.</param>
    /// <param name="status">Status sent.</param>
    /// <param name="seconds">Duration.</param>
    public void Record(string method, string handler, int status, double seconds)
    {
        // What clients make up must not make series.
        string known = s_methods.Contains(method) ? method : "OTHER";
        // vLLM's labels are handler and status, FastDeploy's path and status_code.
        var tags = new TagList
        {
            { "handler", handler }, { "path", handler }, { "method", known },
        };
        _durations.Record(seconds, in tags);
        tags.Add("status", $"{status / 100}xx");
        tags.Add("status_code", status.ToString(CultureInfo.InvariantCulture));
        _requests.Add(1, in tags);
    }
}
