namespace Ernie.Server.Requests;

/// <summary>Which request this is and whose: what its answer, the log and the engine call it.</summary>
internal sealed class RequestIdentity
{
    /// <summary>The header, in requests and in answers.</summary>
    public const string HeaderName = "X-Request-Id";

    private const int MostLetters = 128;

    private RequestIdentity(string id, bool isSent)
    {
        Id = id;
        IsSent = isSent;
    }

    /// <summary>The id.</summary>
    public string Id { get; private set; }

    /// <summary>Whether the client chose the id.</summary>
    public bool IsSent { get; }

    /// <summary>Number of the tenant; 0 when there are none.</summary>
    public int Tenant { get; set; }

    /// <summary>Hash of the API key that it showed; null where none was asked for.</summary>
    public string? Key { get; set; }

    /// <summary>Takes what the client sent, if a header and a line of a log can hold it, or makes an id up.</summary>
    public static RequestIdentity Begin(HttpContext context)
    {
        string sent = context.Request.Headers[HeaderName].ToString();
        var identity = IsPlain(sent) ? new RequestIdentity(sent, true) : new RequestIdentity(Guid.NewGuid().ToString("N"), false);
        context.Features.Set(identity);
        context.Response.Headers[HeaderName] = identity.Id;
        return identity;
    }

    /// <summary>The identity of a request that has begun.</summary>
    public static RequestIdentity Of(HttpContext context) =>
        context.Features.Get<RequestIdentity>() ?? throw new InvalidOperationException("The request has not begun.");

    /// <summary>The id that the answer's body carries: of the client's header where it sent one, else the one it has, which the header then repeats.</summary>
    /// <param name="context">The request.</param>
    /// <param name="prefix">Begins ids of its endpoint.</param>
    /// <param name="own">Id that the body's fields gave it, or a made-up one.</param>
    public string Adopt(HttpContext context, string prefix, string own)
    {
        if (IsSent)
            return prefix + Id;
        if (IsPlain(own))
        {
            Id = own;
            context.Response.Headers[HeaderName] = own;
        }

        return own;
    }

    private static bool IsPlain(string text) => text.Length is > 0 and <= MostLetters && !text.AsSpan().ContainsAnyExceptInRange('!', '~');
}
