using System.Net;
using Ernie.Hosting.Options;

namespace Ernie.Server.Hosting;

/// <summary>Binds the front end's options.</summary>
internal static class ServerOptionsBinder
{
    /// <summary>Binds.</summary>
    /// <param name="options">Options parsed with <see cref="OptionTable.All"/>.</param>
    /// <exception cref="OptionException">A value out of bounds.</exception>
    public static ServerOptions Create(OptionSet options)
    {
        string host = options.RequiredText("host");
        if (host != "localhost" && !IPAddress.TryParse(host, out _))
            throw new OptionException($"--host is '{host}' and must be an IP address or localhost; 0.0.0.0 listens on every IPv4 address.");
        // The table has defaults for all numbers. A negative maximum of log-probabilities means no limit.
        int maxLogprobs = options.WholeNumber("max-logprobs", -1)!.Value;
        return new ServerOptions
        {
            Host = host,
            Port = options.WholeNumber("port", 0, IPEndPoint.MaxPort)!.Value,
            ServedModelNames = options.Text("served-model-name") is { } name ? [name] : [],
            ApiKeys = options.List("api-key"),
            AdminKey = options.Text("admin-api-key"),
            MaxConcurrency = options.WholeNumber("max-concurrency", 1)!.Value,
            MaxWaitingSeconds = options.Number("max-waiting-time")!.Value,
            MaxLogprobs = maxLogprobs < 0 ? int.MaxValue : maxLogprobs,
            GracefulShutdownSeconds = Math.Max(0, options.Number("timeout-graceful-shutdown")!.Value),
            AllowedOrigins = options.List("allowed-origins"),
        };
    }
}
