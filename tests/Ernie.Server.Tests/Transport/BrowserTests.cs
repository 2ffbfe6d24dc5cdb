using System.Net;

namespace Ernie.Server.Tests.Transport;

public sealed class BrowserTests
{
    private const string Chat = """{"messages":[{"role":"user","content":"hello"}]}""";

    /// <summary>What browsers send from a page of another site.</summary>
    public static TheoryData<string, string> Foreign { get; } = new()
    {
        { "Origin", "https://evil.example" }, { "Origin", "http://localhost:3000" }, { "Origin", "null" }, { "Origin", "http://127.0.0.1" },
        { "Origin", "https://evil.example|Sec-Fetch-Site: cross-site" }, { "Sec-Fetch-Site", "cross-site" }, { "Sec-Fetch-Site", "same-site" },
        { "Origin", "chrome-extension://abcdef" },
    };

    [Theory]
    [MemberData(nameof(Foreign))]
    public async Task ForeignPage_WithoutPermission_MovesNothing(string header, string value)
    {
        await using TestServer server = await TestServer.StartAsync();
        (string, string)[] headers = [.. $"{header}: {value}".Split('|').Select(line => (line.Split(": ")[0], line.Split(": ")[1]))];

        foreach (string path in (string[])["/v1/pause", "/v1/abort_requests", "/reset_prefix_cache", "/v1/completions", "/v1/chat/completions", "/tokenize"])
            (await server.SendAsync(HttpMethod.Post, path, Chat, headers)).AssertError(HttpStatusCode.Forbidden, code: "origin_not_allowed");
        (await server.SendAsync(HttpMethod.Get, "/v1/models", null, headers)).AssertError(HttpStatusCode.Forbidden, code: "origin_not_allowed");

        Assert.False(server.Engine.Paused);
        Assert.Empty(server.Engine.Requests);
    }

    [Fact]
    public async Task OwnPage_HoweverItsBrowserSaysSo_IsServed()
    {
        await using TestServer server = await TestServer.StartAsync();
        string own = server.Client.BaseAddress!.GetLeftPart(UriPartial.Authority);

        Answer page = await server.SendAsync(HttpMethod.Get, "/", null, ("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"));
        Answer link = await server.SendAsync(HttpMethod.Get, "/", null, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"));
        Answer framed = await server.SendAsync(HttpMethod.Get, "/", null, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe"));
        Answer chat = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Chat, ("Origin", own), ("Sec-Fetch-Site", "same-origin"));
        Answer older = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Chat, ("Origin", own));
        Answer proxied = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Chat, ("Origin", "https://chat.example"), ("Sec-Fetch-Site", "same-origin"));

        Assert.All((Answer[])[page, link, chat, older, proxied], answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        framed.AssertError(HttpStatusCode.Forbidden);
        Assert.Contains("frame-ancestors 'none'", page.Response.Headers.GetValues("Content-Security-Policy").Single());
    }

    [Theory]
    [InlineData("https://chat.example", "chat.example", true)]
    [InlineData("https://chat.example", "chat.example:443", true)]
    [InlineData("http://chat.example:8080", "chat.example:8080", true)]
    [InlineData("http://chat.example:8080", "chat.example", false)]
    [InlineData("https://chat.example.evil", "chat.example", false)]
    [InlineData("nonsense", "chat.example", false)]
    public async Task Origin_AndHost_AreComparedAsBrowsersDo(string origin, string host, bool isOwn)
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { AllowedHosts = ["*"] });

        Answer answer = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Chat, ("Origin", origin), ("Host", host));

        Assert.Equal(isOwn ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.Status);
    }

    [Fact]
    public async Task AllowedOrigin_IsServed_AndOnlyThat()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { AllowedOrigins = ["https://app.example"] });

        Answer allowed = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Chat, ("Origin", "https://app.example"), ("Sec-Fetch-Site", "cross-site"));
        Answer error = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "{}", ("Origin", "https://app.example"), ("Sec-Fetch-Site", "cross-site"));
        Answer other = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Chat, ("Origin", "https://evil.example"));

        Assert.Equal(HttpStatusCode.OK, allowed.Status);
        Assert.All((Answer[])[allowed, error], answer => Assert.Equal("https://app.example", answer.Response.Headers.GetValues("Access-Control-Allow-Origin").Single()));
        Assert.Contains("X-Request-Id", allowed.Response.Headers.GetValues("Access-Control-Expose-Headers").Single());
        other.AssertError(HttpStatusCode.Forbidden, code: "origin_not_allowed");
    }

    [Fact]
    public async Task AllOrigins_WhereAllowed_AreServed()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { AllowedOrigins = ["*"] });

        Answer answer = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Chat, ("Origin", "https://any.example"), ("Sec-Fetch-Site", "cross-site"));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    public async Task Body_ThatAPageMaySendUnasked_Is415(string? contentType)
    {
        await using TestServer server = await TestServer.StartAsync();

        foreach (string path in (string[])["/v1/pause", "/v1/resume", "/v1/abort_requests", "/reset_prefix_cache", "/v1/completions", "/v1/chat/completions", "/tokenize", "/detokenize"])
        {
            using var content = new ByteArrayContent("""{"prompt":"hello"}"""u8.ToArray());
            content.Headers.TryAddWithoutValidation("Content-Type", contentType);
            using HttpResponseMessage response = await server.Client.PostAsync(path, content);
            (await Answer.ReadAsync(response)).AssertError(HttpStatusCode.UnsupportedMediaType, code: "unsupported_media_type");
        }

        Assert.False(server.Engine.Paused);
        Assert.Empty(server.Engine.Requests);
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST:8000", true)]
    [InlineData("localhost.", true)]
    [InlineData("127.0.0.1:1", true)]
    [InlineData("127.8.9.10", true)]
    [InlineData("[::1]:8000", true)]
    [InlineData("ernie.localhost", true)]
    [InlineData("evil.example", false)]
    [InlineData("evil.example:8000", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.nip.io", false)]
    [InlineData("0.0.0.0:8000", false)]
    [InlineData("192.168.1.2", false)]
    public async Task Host_OnALoopbackAddress_MustBeALoopbackName(string host, bool isTaken)
    {
        await using TestServer server = await TestServer.StartAsync();

        foreach (string path in (string[])["/", "/health", "/metrics", "/v1/models"])
        {
            Answer answer = await server.SendAsync(HttpMethod.Get, path, null, ("Host", host));
            if (isTaken)
                Assert.Equal(HttpStatusCode.OK, answer.Status);
            else
                answer.AssertError(HttpStatusCode.Forbidden, code: "host_not_allowed");
        }
    }

    [Theory]
    [InlineData("chat.example", "chat.example:443", true)]
    [InlineData("chat.example", "Chat.Example", true)]
    [InlineData("chat.example", "localhost", true)]
    [InlineData("chat.example", "a.chat.example", false)]
    [InlineData("*.chat.example", "a.chat.example", true)]
    [InlineData("*.chat.example", "achat.example", false)]
    [InlineData("*", "any.example", true)]
    public async Task Host_ThatIsAllowed_IsTaken(string allowed, string host, bool isTaken)
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { AllowedHosts = [allowed] });

        Answer answer = await server.SendAsync(HttpMethod.Get, "/health", null, ("Host", host));

        Assert.Equal(isTaken ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.Status);
    }

    [Fact]
    public async Task Host_OnEveryAddress_IsNotAsked()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { Host = "0.0.0.0" });
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{server.Client.BaseAddress!.Port}/health") { Headers = { Host = "ernie.cluster.internal" } };

        using HttpResponseMessage response = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }
}
