using System.Net;

namespace Ernie.Hosting.Options.Rows;

/// <summary>Options of the front end.</summary>
public static class ServerRows
{
    private static readonly OptionRows s_rows = new(OptionGroup.Server);

    /// <summary>Front end to run: http, or the name of one that a plugin brings.</summary>
    public static Option<string> FrontEnd { get; } = s_rows.Text("engine-host", "Front end to run: http, or the name of one that a plugin brings.", "http");

    /// <summary>Address to listen on: an IP address, or localhost.</summary>
    public static Option<string> Host { get; } = s_rows.Text(
        "host", "Address to listen on.", "127.0.0.1",
        fault: text => text == "localhost" || IPAddress.TryParse(text, out _) ? null : "must be an IP address or localhost; 0.0.0.0 listens on every IPv4 address");

    /// <summary>TCP port; 0 takes a free one.</summary>
    public static Option<int> Port { get; } = s_rows.WholeNumber("port", "TCP port to listen on; 0 takes a free one.", 8000, 0, IPEndPoint.MaxPort);

    /// <summary>Keys of which a client must show one; none means that no key is asked for.</summary>
    public static Option<IReadOnlyList<string>> ApiKeys { get; } = s_rows.TextList(
        "api-key", "Key that requests must carry; repeatable. None: every request is taken.", variables: ["FD_API_KEY"], fault: KeyFault,
        refusesEmpty: true, takesSeveral: true, isSecret: true);

    /// <summary>Key of the control endpoints; null leaves them to <see cref="ApiKeys"/>.</summary>
    public static Option<string?> AdminKey { get; } = s_rows.OptionalText(
        "admin-api-key", "Key that the control endpoints (pause, resume, abort, reset) must carry. Absent: an api-key does.", fault: KeyFault, refusesEmpty: true, isSecret: true);

    /// <summary>Generation requests served at once; one more is a 429.</summary>
    public static Option<int> MaxConcurrency { get; } = s_rows.WholeNumber("max-concurrency", "Requests served at once; more are answered 429.", 512, 1);

    /// <summary>Seconds a sequence may wait for its first event before its request is a 429; negative for ever.</summary>
    public static Option<double> MaxWaitingSeconds { get; } = s_rows.Number(
        "max-waiting-time", "Seconds a request may wait for its first token; -1 is for ever.", -1);

    /// <summary>Sequences that may wait for a slot.</summary>
    public static Option<int> MaxQueuedRequests { get; } = s_rows.WholeNumber(
        "max-queued-requests", "Sequences that may wait for a slot; more are answered 429.", 1024, 0);

    /// <summary>Seconds that running requests have after the first signal to stop.</summary>
    public static Option<double> GracefulShutdownSeconds { get; } = s_rows.Number(
        "timeout-graceful-shutdown", "Seconds that running requests get to finish after SIGTERM.", 30);

    /// <summary>Origins that browsers may call from; <c>*</c> allows all; none when empty.</summary>
    public static Option<IReadOnlyList<string>> AllowedOrigins { get; } = s_rows.TextList(
        "allowed-origins", "Origins that browsers may call from (CORS); '*' is all. None: no cross-origin call.", takesSeveral: true);

    /// <summary>The rows, in the help's order.</summary>
    public static IReadOnlyList<OptionDefinition> All => s_rows.All;

    // A header cannot carry anything else.
    private static string? KeyFault(string key) => key.All(c => c is > ' ' and <= '~') ? null : "must be a key of visible ASCII characters without spaces";
}
