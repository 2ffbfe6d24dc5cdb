using System.Diagnostics.Metrics;
using Ernie.Generation;
using Ernie.Server.Hosting;

namespace Ernie.Server.Metrics;

/// <summary>
/// Measures of one server, published on the meter <c>Ernie</c> and as Prometheus text. Besides its own instruments it
/// exports those of the engine, whatever they are.
/// </summary>
internal sealed class ServerMetrics : IDisposable
{
    /// <summary>Name of the meter of server and engine.</summary>
    public const string MeterName = "Ernie";

    private static readonly string[] s_reasons = ["stop", "length", "abort"];

    private readonly ServerContext _server;
    private readonly Meter _meter;
    private readonly MeterRecorder _recorder;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _nextToken;
    private readonly Histogram<double> _perOutputToken;
    private readonly Histogram<double> _endToEnd;
    private readonly long[] _finished = new long[s_reasons.Length];

    /// <summary>Starts measuring.</summary>
    public ServerMetrics(ServerContext server)
    {
        _server = server;
        // The scope keeps two servers of one process (as in tests) apart.
        _meter = new Meter(new MeterOptions(MeterName) { Scope = this });
        _recorder = new MeterRecorder(MeterName, [this, server.Engine]);
        _firstToken = _meter.CreateHistogram<double>(MetricNames.FirstToken, "s", "Arrival of a request to its first token.");
        _nextToken = _meter.CreateHistogram<double>(MetricNames.NextToken, "s", "One token to the next.");
        _perOutputToken = _meter.CreateHistogram<double>(MetricNames.PerOutputToken, "s", "Mean time per token after the first, per sequence.");
        _endToEnd = _meter.CreateHistogram<double>(MetricNames.EndToEnd, "s", "Arrival of a request to its end.");
    }

    /// <summary>Times a sequence that starts now.</summary>
    public SequenceTimer StartSequence() => new(this, _server.Clock);

    /// <summary>Records a first token.</summary>
    public void FirstToken(double seconds) => _firstToken.Record(seconds);

    /// <summary>Records a later token.</summary>
    public void NextToken(double seconds) => _nextToken.Record(seconds);

    /// <summary>Records the end of a sequence.</summary>
    public void SequenceFinished(string reason, double seconds, double? decodeSeconds, int tokens)
    {
        Interlocked.Increment(ref _finished[Math.Max(0, Array.IndexOf(s_reasons, reason))]);
        _endToEnd.Record(seconds);
        if (decodeSeconds is { } decode && tokens > 1)
            _perOutputToken.Record(decode / (tokens - 1));
    }

    /// <summary>All metrics as Prometheus text.</summary>
    public string Render()
    {
        var writer = new PrometheusWriter(_server.ModelNames[0]);
        EngineStatistics statistics = _server.Engine.GetStatistics();
        EngineInfo info = _server.Engine.Info;
        VllmMetrics.Write(writer, statistics, info);
        writer.Header("vllm:request_success_total", "Finished requests by reason.", "counter");
        for (int reason = 0; reason < s_reasons.Length; reason++)
            writer.Sample("vllm:request_success_total", Volatile.Read(ref _finished[reason]), ("finished_reason", s_reasons[reason]));
        FastDeployMetrics.Write(writer, statistics, info, _server.Admission.Inside, _finished.Sum());
        _recorder.WriteTo(writer);
        return writer.ToString();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _recorder.Dispose();
        _meter.Dispose();
    }
}
