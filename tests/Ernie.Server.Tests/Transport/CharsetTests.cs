using Ernie.Server.Hosting;
using Ernie.Server.Routing;
using Ernie.Server.Tests.Fakes;

namespace Ernie.Server.Tests.Transport;

public sealed class CharsetTests
{
    [Fact]
    public async Task EveryAnswer_WithAText_NamesItsCharset()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var context = new ServerContext(new FakeHost(new FakeEngine()), new ServerOptions());

        // Every path of the table, with and without what it needs: its answers and its errors.
        foreach (ServerRoute route in RouteTable.Create(context))
        {
            foreach (string method in route.Methods)
            {
                foreach (string body in (string[])["", "{}", """{"prompt":"hello"}""", """{"prompt":"hello","stream":true}""", """{"messages":[{"role":"user","content":"hello"}],"stream":true}"""])
                    await AssertCharsetAsync(server, method, route.Pattern.Replace("{**id}", "fake-model", StringComparison.Ordinal), body);
            }
        }

        await AssertCharsetAsync(server, "GET", "/nothing/here", "");
        await AssertCharsetAsync(server, "DELETE", "/v1/models", "");
        await AssertCharsetAsync(server, "POST", "/v1/embeddings", "{}");
    }

    [Fact]
    public async Task Stream_OfChinese_IsReadRightByWhoeverTrustsTheHeader()
    {
        await using TestServer server = await TestServer.StartAsync(
            engine => engine.Script = _ => [.. new FakeTokenizer().Encode("你好"), FakeTokenizer.Eos]);

        using HttpResponseMessage response = await server.OpenAsync("/v1/completions", """{"prompt":"hello","stream":true}""");
        string text = await response.Content.ReadAsStringAsync();

        Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Assert.Equal("你好", string.Concat((await SseStream.ReadAsync(response)).Events.Select(chunk => chunk["choices"]![0]!["text"]!.GetValue<string>())));
        Assert.Contains("data: [DONE]", text);
    }

    private static async Task AssertCharsetAsync(TestServer server, string method, string path, string body)
    {
        Answer answer = await server.SendAsync(new HttpMethod(method), path, method == "GET" ? null : body);

        Assert.NotEqual("", answer.Text);
        Assert.True(answer.Response.Content.Headers.ContentType?.CharSet == "utf-8", $"{method} {path} {body}: {answer.Response.Content.Headers.ContentType}");
    }
}
