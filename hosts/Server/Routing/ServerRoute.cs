namespace Ernie.Server.Routing;

/// <summary>One path of the server. It is also its endpoint's metadata: what checks a request reads it there.</summary>
/// <param name="Pattern">The path, in the framework's patterns.</param>
/// <param name="Methods">Methods that the handler answers.</param>
/// <param name="Handler">Answers.</param>
internal sealed record ServerRoute(string Pattern, IReadOnlyList<string> Methods, RequestDelegate Handler)
{
    /// <summary>Who may call it.</summary>
    public Access Access { get; init; }

    /// <summary>Every method it answers: HEAD wherever GET is, and OPTIONS.</summary>
    public IReadOnlyList<string> AllMethods { get; } =
        [.. Methods.SelectMany<string, string>(method => method == HttpMethods.Get ? [method, HttpMethods.Head] : [method]), HttpMethods.Options];

    /// <summary>A path that is read.</summary>
    public static ServerRoute Get(string pattern, RequestDelegate handler, Access access = Access.Key) => new(pattern, [HttpMethods.Get], handler) { Access = access };

    /// <summary>A path that acts or takes a body.</summary>
    public static ServerRoute Post(string pattern, RequestDelegate handler, Access access = Access.Key) => new(pattern, [HttpMethods.Post], handler) { Access = access };

    /// <summary>Answers a request. OPTIONS is answered here: it says what the path takes.</summary>
    public Task HandleAsync(HttpContext context)
    {
        // The server leaves out the body of an answer to HEAD.
        if (!HttpMethods.IsOptions(context.Request.Method))
            return Handler(context);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        context.Response.Headers.Allow = string.Join(", ", AllMethods);
        return Task.CompletedTask;
    }
}
