using System.Net;
using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Ernie.Server.Routing;
using Ernie.Server.Validation;

namespace Ernie.Server.Security;

/// <summary>
/// Keeps web pages from working a server through its user's browser. Only browsers send the headers that it reads, so that other
/// clients do not notice it.
/// </summary>
/// <remarks>
/// A page can send a request to any address, without reading the answer: its <c>Origin</c> or <c>Sec-Fetch-Site</c> gives it away,
/// and a body of JSON needs a permission that CORS gives. A page whose own name leads to 127.0.0.1 (DNS rebinding) is of the same
/// origin for the browser: its <c>Host</c> gives it away.
/// </remarks>
internal sealed class BrowserGuard(ServerOptions options)
{
    private readonly bool _checksHost = !options.AllowedHosts.Contains("*") && (options.AllowedHosts.Count > 0 || IsLoopback(options.Host));

    /// <summary>Refuses a foreign <c>Host</c>. Runs before everything that could answer.</summary>
    /// <exception cref="ApiException">403.</exception>
    public Task CheckHostAsync(HttpContext context, RequestDelegate next)
    {
        string host = context.Request.Host.Host;
        // HTTP/1.0 may have none; browsers always send one.
        if (_checksHost && host.Length > 0 && !IsLoopback(host) && !options.AllowedHosts.Any(allowed => Matches(allowed, host)))
        {
            throw new ApiException(
                StatusCodes.Status403Forbidden, "invalid_request_error",
                $"The Host header names '{Shorten(host)}', which this server does not answer to. Call it as localhost, or start it with --allowed-hosts {Shorten(host)}.", null, "host_not_allowed");
        }

        return next(context);
    }

    /// <summary>Refuses what a page of another origin sends without permission, and a body that is not said to be JSON.</summary>
    /// <exception cref="ApiException">403 or 415.</exception>
    public Task CheckOriginAsync(HttpContext context, RequestDelegate next)
    {
        if (IsForeign(context.Request))
        {
            string origin = context.Request.Headers.Origin.ToString();
            throw new ApiException(
                StatusCodes.Status403Forbidden, "invalid_request_error",
                $"Web pages of {(origin.Length > 0 ? Shorten(origin) : "other sites")} may not call this server. Start it with --allowed-origins {(origin.Length > 0 ? Shorten(origin) : "ORIGIN")} to allow it.",
                null, "origin_not_allowed");
        }

        return next(context);
    }

    /// <summary>Asks for a JSON body where one acts; runs after the keys.</summary>
    /// <exception cref="ApiException">415.</exception>
    public static Task CheckContentTypeAsync(HttpContext context, RequestDelegate next)
    {
        if (HttpMethods.IsPost(context.Request.Method) && context.GetEndpoint()?.Metadata.GetMetadata<ServerRoute>() is { Access: not Access.Open })
            RequestBody.RequireJson(context.Request.ContentType);
        return next(context);
    }

    private bool IsForeign(HttpRequest request)
    {
        string origin = request.Headers.Origin.ToString();
        string site = request.Headers["Sec-Fetch-Site"].ToString();
        if (options.AllowedOrigins.Contains("*") || options.AllowedOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase))
            return false;
        // Pages cannot set this header, and it is right behind a proxy that changes Host.
        if (site.Length > 0)
            return site is not ("same-origin" or "none") && !IsNavigation(request);
        return origin.Length > 0 && !IsOwn(origin, request.Host);
    }

    /// <summary>Whether the user follows a link here: it opens a page of ours and does nothing else.</summary>
    private static bool IsNavigation(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) && request.Headers.Origin.Count == 0
        && request.Headers["Sec-Fetch-Mode"] == "navigate" && request.Headers["Sec-Fetch-Dest"] == "document";

    private static bool IsOwn(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri)
        && uri.Host.Equals(host.Host, StringComparison.OrdinalIgnoreCase)
        // A Host without a port has the default one of the page's scheme, whoever ends TLS.
        && (host.Port is not { } port ? uri.IsDefaultPort : port == uri.Port);

    private static bool IsLoopback(string host)
    {
        string name = host.TrimEnd('.');
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(name.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));
    }

    private static bool Matches(string allowed, string host) => allowed.StartsWith("*.", StringComparison.Ordinal)
        ? host.EndsWith(allowed[1..], StringComparison.OrdinalIgnoreCase)
        : host.TrimEnd('.').Equals(allowed, StringComparison.OrdinalIgnoreCase);

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..100] + "…";
}
