using System.Diagnostics.Metrics;
using System.Globalization;
using Ernie.Server.Connections;
using Ernie.Server.Errors;
using Ernie.Server.Generation;
using Ernie.Server.Hosting;
using Ernie.Server.Metrics.Catalogue;
using Ernie.Server.Metrics.Recording;

namespace Ernie.Server.Metrics;

/// <summary>
/// Measures of one server, published on the meter <c>Ernie</c> and as Prometheus text. Besides its own instruments it
/// exports those of the engine, whatever they are.
/// </summary>
internal sealed class ServerMetrics : IDisposable
{
    /// <summary>Name of the meter of server and engine.</summary>
    public const string MeterName = "Ernie";

    private static readonly string[] s_reasons = ["stop", "length", "abort", "error"];

    private readonly ServerContext _server;
    private readonly Meter _meter;
    private readonly MeterRecorder _recorder;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _nextToken;
    private readonly Histogram<double> _perOutputToken;
    private readonly Histogram<double> _endToEnd;
    private readonly Histogram<int> _choices;
    private readonly Histogram<int> _maxTokens;
    private readonly Histogram<int> _mostTokens;
    private readonly Counter<long> _refusals;
    private readonly long[] _finished = new long[s_reasons.Length];
    private long _received;
    private long _begun;
    private long _begunWithHit;
    private long _queueRefusals;

    /// <summary>Starts measuring.</summary>
    public ServerMetrics(ServerContext server)
    {
        _server = server;
        // The scope keeps two servers of one process (as in tests) apart.
        _meter = new Meter(new MeterOptions(MeterName) { Scope = this });
        _recorder = new MeterRecorder(MeterName, [this, server.Engine]);
        _firstToken = _meter.CreateHistogram<double>(InstrumentNames.FirstToken, "s", "Arrival of a request to its first token.");
        _nextToken = _meter.CreateHistogram<double>(InstrumentNames.NextToken, "s", "One token to the next.");
        _perOutputToken = _meter.CreateHistogram<double>(InstrumentNames.PerOutputToken, "s", "Mean time per token after the first, per sequence.");
        _endToEnd = _meter.CreateHistogram<double>(InstrumentNames.EndToEnd, "s", "Arrival of a request to its end.");
        _choices = _meter.CreateHistogram<int>(InstrumentNames.Choices, "{choice}", "Choices that a request asks for.");
        _maxTokens = _meter.CreateHistogram<int>(InstrumentNames.MaxTokens, "{token}", "Tokens that a request allows.");
        _mostTokens = _meter.CreateHistogram<int>(InstrumentNames.MostTokens, "{token}", "Tokens of a request's longest choice.");
        _refusals = _meter.CreateCounter<long>(InstrumentNames.Refusals, "{request}", "Requests that ended in an error.");
        Http = new HttpMetrics(_meter);
    }

    /// <summary>Counts and times HTTP requests.</summary>
    public HttpMetrics Http { get; }

    /// <summary>The server's connections.</summary>
    public ConnectionLimit Connections => _server.Connections;

    /// <summary>Generation requests that came in.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Sequences that the engine began.</summary>
    public long Begun => Interlocked.Read(ref _begun);

    /// <summary>Sequences of which a part came from the prefix cache.</summary>
    public long BegunWithHit => Interlocked.Read(ref _begunWithHit);

    /// <summary>Requests refused because others run or wait.</summary>
    public long QueueRefusals => Interlocked.Read(ref _queueRefusals);

    /// <summary>Sequences finished, by reason.</summary>
    public IEnumerable<(string Reason, long Count)> Finished => s_reasons.Select((reason, index) => (reason, Volatile.Read(ref _finished[index])));

    /// <summary>Sequences that ended by themselves.</summary>
    public long Succeeded => Finished.Where(entry => entry.Reason is "stop" or "length").Sum(entry => entry.Count);

    /// <summary>A generation request came in.</summary>
    public void RequestReceived() => Interlocked.Increment(ref _received);

    /// <summary>A generation request was read.</summary>
    public void RequestRead(IGenerationRequest request)
    {
        _choices.Record(request.Settings.ChoicesPerPrompt);
        int room = Math.Max(0, _server.Engine.Info.MaxModelLength - request.Prompts[0].Tokens.Count);
        _maxTokens.Record(Math.Min(request.Settings.MaxTokens ?? room, room));
    }

    /// <summary>A request ended in an error.</summary>
    public void Refused(ApiException error)
    {
        if (error.Status == StatusCodes.Status429TooManyRequests)
            Interlocked.Increment(ref _queueRefusals);
        _refusals.Add(1, new("reason", error.Code ?? error.Type), new("status", error.Status.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>Times a sequence that starts now.</summary>
    public SequenceTimer StartSequence() => new(this, _server.Clock);

    /// <summary>The engine began a sequence.</summary>
    /// <param name="cachedTokens">Prompt tokens that came from the prefix cache.</param>
    public void SequenceBegun(int cachedTokens)
    {
        Interlocked.Increment(ref _begun);
        if (cachedTokens > 0)
            Interlocked.Increment(ref _begunWithHit);
    }

    /// <summary>Records a first token.</summary>
    public void FirstToken(double seconds) => _firstToken.Record(seconds);

    /// <summary>Records a later token.</summary>
    public void NextToken(double seconds) => _nextToken.Record(seconds);

    /// <summary>Records the end of a sequence.</summary>
    public void SequenceFinished(string reason, double seconds, double? decodeSeconds, int tokens)
    {
        // "error" is the last one, and stands for whatever has no place of its own.
        int index = Array.IndexOf(s_reasons, reason);
        Interlocked.Increment(ref _finished[index < 0 ? s_reasons.Length - 1 : index]);
        _endToEnd.Record(seconds);
        if (decodeSeconds is { } decode && tokens > 1)
            _perOutputToken.Record(decode / (tokens - 1));
    }

    /// <summary>Records the longest choice of a request that has ended.</summary>
    public void RequestFinished(int mostTokens) => _mostTokens.Record(mostTokens);

    /// <summary>All metrics as Prometheus text.</summary>
    public string Render()
    {
        var writer = new PrometheusWriter(_server.ModelNames[0]);
        _recorder.Observe();
        var view = new MetricView(this, _recorder, _server.Engine.GetStatistics(), _server.Engine.Info);
        foreach (MetricRow row in MetricTable.All)
        {
            writer.Header(row.Name, row.Help, row.Kind);
            row.Write(writer, view);
        }

        foreach (MetricFamily family in _recorder.Families.Where(family => !MetricTable.Shown.Contains(family.Instrument.Name)))
        {
            string name = MetricTable.OwnName(family.Instrument.Name, family.Instrument.Unit, family.Kind);
            writer.Header(name, string.IsNullOrEmpty(family.Instrument.Description) ? family.Instrument.Name : family.Instrument.Description, family.Kind);
            family.WriteTo(writer, name);
        }

        return writer.ToString();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _recorder.Dispose();
        _meter.Dispose();
    }
}
