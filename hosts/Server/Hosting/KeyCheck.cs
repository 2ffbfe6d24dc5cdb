using System.Security.Cryptography;
using System.Text;
using Ernie.Server.Errors;

namespace Ernie.Server.Hosting;

/// <summary>Asks for a key where keys are set. Probes, version and metrics are open: orchestrators have no keys.</summary>
internal sealed class KeyCheck(ServerContext server)
{
    private static readonly HashSet<string> s_open = new(StringComparer.OrdinalIgnoreCase) { "/", "/health", "/ready", "/ping", "/version", "/metrics" };

    private static readonly HashSet<string> s_control = new(StringComparer.OrdinalIgnoreCase)
    {
        "/v1/pause", "/v1/resume", "/v1/abort_requests", "/reset_prefix_cache",
    };

    // Hashes have one length, so that comparing them tells nothing about a key's own.
    private readonly byte[][] _keys = [.. server.Options.ApiKeys.Select(Hash)];
    private readonly byte[]? _adminKey = server.Options.AdminKey is { } key ? Hash(key) : null;

    /// <summary>Checks a request and runs the rest of the pipeline.</summary>
    /// <exception cref="ApiException">401: no key, or a wrong one.</exception>
    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        string path = (context.Request.Path.Value ?? "/").TrimEnd('/') is { Length: > 0 } trimmed ? trimmed : "/";
        if (_adminKey is not null && s_control.Contains(path))
            Require(context, [_adminKey]);
        else if (_keys.Length > 0 && !s_open.Contains(path))
            Require(context, _keys);
        return next(context);
    }

    private static void Require(HttpContext context, byte[][] keys)
    {
        const string Scheme = "Bearer ";
        string header = context.Request.Headers.Authorization.ToString();
        string shown = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : "";
        byte[] hash = Hash(shown);
        bool known = false;
        foreach (byte[] key in keys)
            known |= CryptographicOperations.FixedTimeEquals(hash, key);
        if (known)
        {
            CallerKey.Set(context, hash);
            return;
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        throw new ApiException(
            StatusCodes.Status401Unauthorized,
            "invalid_request_error",
            shown.Length == 0 ? "This server needs an API key: send 'Authorization: Bearer KEY'." : "The API key is not one of this server's.",
            null,
            "invalid_api_key");
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
