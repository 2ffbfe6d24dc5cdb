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
        "api-key", "Key that requests must carry, or name=key, where keys of one name are one tenant; repeatable. None: every request is taken.", variables: ["FD_API_KEY"], fault: KeyFault,
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
        "allowed-origins", "Origins that browsers may call from (CORS); '*' is all. None: no cross-origin call.", takesSeveral: true,
        fault: text => IsOrigin(text) ? null : "must be an origin, as in https://app.example (no path, no slash at the end), or '*'");

    /// <summary>Names that the Host header may have besides loopback ones; <c>*</c> is all.</summary>
    public static Option<IReadOnlyList<string>> AllowedHosts { get; } = s_rows.TextList(
        "allowed-hosts", "Names by which the server may be called (Host header), *.example.com for all below one, '*' for all. None: on a loopback address localhost alone, else all.",
        takesSeveral: true, fault: text => text.AsSpan().ContainsAny("/: ") ? "must be a host name without scheme and port, or '*'" : null);

    /// <summary>Connections at once; null for as many as the limit of handles allows.</summary>
    public static Option<int?> MaxConnections { get; } = s_rows.OptionalWholeNumber(
        "max-connections", "Connections at once; more are closed. Absent: as many as the limit of open files allows.", 1);

    /// <summary>Header whose value is the tenant; null: the API key is.</summary>
    public static Option<string?> TenantHeader { get; } = s_rows.OptionalText(
        "tenant-header", "Header, set by a gateway that callers cannot pass by, whose value is the tenant for cache policies. Absent: the API key is.",
        fault: text => text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_') ? null : "must be a header's name");

    /// <summary>Choices, prompts × n, that one request may have.</summary>
    public static Option<int> MaxChoicesPerRequest { get; } = s_rows.WholeNumber(
        "max-choices-per-request", "Choices, prompts times n, that one request may have; more are answered 400.", 128, 1);

    /// <summary>Whether requests may bring a chat template of their own.</summary>
    public static Option<bool> TrustRequestChatTemplate { get; } = s_rows.Switch(
        "trust-request-chat-template", "Let requests bring a chat_template of their own. It is rendered within the limits of any template.");

    /// <summary>What separates the prefix caches of callers, besides a request's own salt.</summary>
    public static Option<CacheSaltSource> CacheSaltBy { get; } = s_rows.Choice(
        "cache-salt-by", "Who shares cached prefixes: none, all callers; key, those of one API key.", "none", [("none", CacheSaltSource.None), ("key", CacheSaltSource.Key)]);

    /// <summary>Whether usage tells how many tokens of a prompt were cached.</summary>
    public static Option<bool> ReportCachedTokens { get; } = s_rows.Switch(
        "report-cached-tokens", "Tell in usage how many tokens of a prompt were cached.", standard: true);

    /// <summary>Whether each request is a line in the log.</summary>
    public static Option<bool> LogRequests { get; } = s_rows.Switch(
        "enable-log-requests", "Write a line per request: id, path, status and time, nothing of what was asked.");

    /// <summary>The rows, in the help's order.</summary>
    public static IReadOnlyList<OptionDefinition> All => s_rows.All;

    private static bool IsOrigin(string text) =>
        text is "*" or "null" || (Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && text.Equals(uri.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase));

    // A header cannot carry anything else.
    private static string? KeyFault(string key) => key.All(c => c is > ' ' and <= '~') ? null : "must be a key of visible ASCII characters without spaces";
}
