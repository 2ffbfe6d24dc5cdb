using System.Net;
using Microsoft.Extensions.Logging;

namespace Ernie.Server.Tests.Transport;

public sealed class RequestIdTests
{
    private const string Header = "X-Request-Id";

    [Theory]
    [InlineData("POST", "/v1/completions", """{"prompt":"hello"}""", HttpStatusCode.OK)]
    [InlineData("POST", "/v1/completions", """{"prompt":"hello","stream":true}""", HttpStatusCode.OK)]
    [InlineData("POST", "/v1/completions", "{}", HttpStatusCode.BadRequest)]
    [InlineData("GET", "/nothing", null, HttpStatusCode.NotFound)]
    [InlineData("GET", "/health", null, HttpStatusCode.OK)]
    [InlineData("OPTIONS", "/health", null, HttpStatusCode.NoContent)]
    public async Task Id_ThatWasSent_ComesBack(string method, string path, string? body, HttpStatusCode status)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.SendAsync(new HttpMethod(method), path, body, (Header, "trace-42"));

        Assert.Equal((status, "trace-42"), (answer.Status, Id(answer)));
    }

    [Fact]
    public async Task Id_ThatWasSent_IsInTheBodyAndReachesTheEngine()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", """{"messages":[{"role":"user","content":"hello"}]}""", (Header, "trace-42"));

        Assert.Equal("chatcmpl-trace-42", answer.Json["id"]!.GetValue<string>());
        Assert.Equal("chatcmpl-trace-42", server.Engine.Requests.Single().RequestId);
    }

    [Fact]
    public async Task Id_ThatNobodySent_IsMadeUpAndTheSameEverywhere()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer first = await server.CompleteAsync("");
        Answer second = await server.CompleteAsync("\"request_id\":\"mine\"");
        Answer foreign = await server.CompleteAsync("\"request_id\":\"模型\"");

        Assert.Equal(first.Json["id"]!.GetValue<string>(), Id(first));
        Assert.Equal(("cmpl-mine", "cmpl-mine"), (second.Json["id"]!.GetValue<string>(), Id(second)));
        Assert.Equal("cmpl-模型", foreign.Json["id"]!.GetValue<string>());
        Assert.NotEqual("", Id(foreign));
    }

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public async Task Id_OfALength_IsTakenUpToTheLimit(int length, bool isTaken)
    {
        await using TestServer server = await TestServer.StartAsync();
        string sent = new('x', length);

        Answer answer = await server.SendAsync(HttpMethod.Get, "/health", null, (Header, sent));

        Assert.Equal(isTaken, Id(answer) == sent);
    }

    [Theory]
    [InlineData("with space")]
    [InlineData("a\tb")]
    public async Task Id_ThatALogCannotHold_IsReplaced(string sent)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.SendAsync(HttpMethod.Get, "/health", null, (Header, sent));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.NotEqual(sent, Id(answer));
    }

    [Fact]
    public async Task Id_OutsideAscii_IsReplaced()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection connection = await RawConnection.OpenAsync(server.Client.BaseAddress!);

        await connection.SendAsync("GET /health HTTP/1.0\r\nHost: localhost\r\nX-Request-Id: id-ü\r\n\r\n");
        string answer = await connection.ReadToEndAsync();

        Assert.StartsWith("HTTP/1.1 200", answer);
        Assert.Matches("X-Request-Id: [0-9a-f]{32}\r\n", answer);
    }

    [Fact]
    public async Task Failure_InTheLog_HasTheId()
    {
        var logs = new LogCollector();
        await using TestServer server = await TestServer.StartAsync(engine => engine.Script = _ => throw new InvalidOperationException("broken"), logs: logs);

        await server.SendAsync(HttpMethod.Post, "/v1/completions", """{"prompt":"hello"}""", (Header, "trace-42"));

        Assert.Contains(logs.Lines, line => line.Level == LogLevel.Error && line.Text.Contains("Request trace-42 to /v1/completions failed", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Requests_AreLoggedWhereAskedFor(bool isAsked)
    {
        var logs = new LogCollector();
        await using TestServer server = await TestServer.StartAsync(options: options => options with { LogRequests = isAsked }, logs: logs);

        await server.SendAsync(HttpMethod.Post, "/v1/completions", """{"prompt":"hello king"}""", (Header, "trace-42"));
        await server.SendAsync(HttpMethod.Get, "/secret-path", null, (Header, "trace-43"));
        await Until.TrueAsync(() => !isAsked || logs.Lines.Count(line => line.Text.Contains("trace-", StringComparison.Ordinal)) >= 2);

        Assert.Equal(isAsked, logs.Lines.Any(line => line.Text.Contains("trace-42: POST /v1/completions answered 200", StringComparison.Ordinal)));
        Assert.Equal(isAsked, logs.Lines.Any(line => line.Text.Contains("trace-43: GET none answered 404", StringComparison.Ordinal)));
        Assert.DoesNotContain(logs.Lines, line => line.Text.Contains("king", StringComparison.Ordinal));
    }

    private static string Id(Answer answer) => Assert.Single(answer.Response.Headers.GetValues(Header));
}
