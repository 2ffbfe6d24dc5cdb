namespace Ernie.Server.Endpoints;

/// <summary><c>GET /</c>: a page to try the model in a browser, whole in one file.</summary>
internal static class PlaygroundEndpoint
{
    private const string ResourceName = "Ernie.Server.Playground.index.html";

    /// <summary>Sends the page.</summary>
    public static async Task HandleAsync(HttpContext context)
    {
        Stream page = typeof(PlaygroundEndpoint).Assembly.GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"The resource {ResourceName} is not in the assembly.");
        await using (page.ConfigureAwait(false))
        {
            context.Response.ContentType = "text/html; charset=utf-8";
            context.Response.ContentLength = page.Length;
            // The page has its script and style inside and talks to this server alone.
            context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            await page.CopyToAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
        }
    }
}
