namespace Ernie.Server.Routing;

/// <summary>Paths as base URLs that end with a slash make them: <c>//v1/models</c> is <c>/v1/models</c>. Runs before routes are chosen.</summary>
internal static class PlainPath
{
    /// <summary>Takes doubled slashes out and runs the rest of the pipeline.</summary>
    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        string path = context.Request.Path.Value ?? "/";
        if (path.Contains("//", StringComparison.Ordinal))
            context.Request.Path = "/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries));
        return next(context);
    }
}
