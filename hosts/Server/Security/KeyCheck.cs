using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Ernie.Server.Requests;
using Ernie.Server.Routing;

namespace Ernie.Server.Security;

/// <summary>Asks for a key where keys are set, and says whose request it is.</summary>
internal sealed class KeyCheck
{
    private const int MostTenantLetters = 128;

    private readonly ApiKey[] _keys;
    private readonly ApiKey? _adminKey;
    private readonly TenantTable _tenants;
    private readonly string? _tenantHeader;

    /// <summary>Reads the keys.</summary>
    public KeyCheck(ServerContext server)
    {
        _keys = [.. server.Options.ApiKeys.Select(ApiKey.Parse)];
        _adminKey = server.Options.AdminKey is { } key ? new ApiKey(null, ApiKey.HashOf(key)) : null;
        _tenants = new TenantTable(_keys);
        _tenantHeader = server.Options.TenantHeader;
    }

    /// <summary>Checks a request and runs the rest of the pipeline.</summary>
    /// <exception cref="ApiException">401: no key, or a wrong one.</exception>
    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        // OPTIONS carries no key and tells nothing but methods.
        Access access = HttpMethods.IsOptions(context.Request.Method) ? Access.Open : context.GetEndpoint()?.Metadata.GetMetadata<ServerRoute>()?.Access ?? Access.Key;
        if (access == Access.Control && _adminKey is not null)
            Find(context, [_adminKey]);
        else if (access != Access.Open && _keys.Length > 0)
            Identify(RequestIdentity.Of(context), Find(context, _keys));
        if (_tenantHeader is not null && context.Request.Headers[_tenantHeader].ToString() is { Length: > 0 and <= MostTenantLetters } tenant)
            RequestIdentity.Of(context).Tenant = _tenants.NumberOf(tenant);
        return next(context);
    }

    private void Identify(RequestIdentity identity, int key)
    {
        identity.Tenant = _tenants.KeyTenants[key];
        identity.Key = _keys[key].Fingerprint;
    }

    /// <summary>The index of the key that a request shows.</summary>
    private static int Find(HttpContext context, ApiKey[] keys)
    {
        const string Scheme = "Bearer ";
        string header = context.Request.Headers.Authorization.ToString();
        string bearer = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : "";
        string plain = context.Request.Headers["X-Api-Key"].ToString().Trim();
        int found = Math.Max(Match(keys, bearer), Match(keys, plain));
        if (found >= 0)
            return found;
        context.Response.Headers.WWWAuthenticate = "Bearer";
        throw new ApiException(
            StatusCodes.Status401Unauthorized,
            "invalid_request_error",
            bearer.Length + plain.Length == 0
                ? "This server needs an API key: send 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'."
                : "The API key is not one of this server's.",
            null,
            "invalid_api_key");
    }

    private static int Match(ApiKey[] keys, string shown)
    {
        byte[] hash = ApiKey.HashOf(shown);
        int found = -1;
        // All of them, so that the time does not tell which one matched.
        for (int index = 0; index < keys.Length; index++)
            found = keys[index].Matches(hash) ? index : found;
        return shown.Length > 0 ? found : -1;
    }
}
