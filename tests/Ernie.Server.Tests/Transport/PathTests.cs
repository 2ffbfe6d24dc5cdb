using System.Net;
using Ernie.Server.Hosting;
using Ernie.Server.Routing;
using Ernie.Server.Tests.Fakes;

namespace Ernie.Server.Tests.Transport;

public sealed class PathTests
{
    private static readonly string[] s_names = ["baidu/ERNIE-4.5-0.3B-PT", "模型 1"];

    [Theory]
    [InlineData("/v1/models/baidu%2FERNIE-4.5-0.3B-PT", "baidu/ERNIE-4.5-0.3B-PT")]
    [InlineData("/v1/models/baidu%2fERNIE%2D4.5-0.3B-PT", "baidu/ERNIE-4.5-0.3B-PT")]
    [InlineData("/v1/models/baidu/ERNIE-4.5-0.3B-PT", "baidu/ERNIE-4.5-0.3B-PT")]
    [InlineData("/v1/models/baidu/ERNIE-4.5-0.3B-PT/", "baidu/ERNIE-4.5-0.3B-PT")]
    [InlineData("//v1//models/baidu/ERNIE-4.5-0.3B-PT", "baidu/ERNIE-4.5-0.3B-PT")]
    [InlineData("/v1/models/%E6%A8%A1%E5%9E%8B%201", "模型 1")]
    [InlineData("/v1/models/default", "baidu/ERNIE-4.5-0.3B-PT")]
    [InlineData("/v1/models/null", "baidu/ERNIE-4.5-0.3B-PT")]
    public async Task Model_HoweverItsIdIsWritten_IsFound(string path, string id)
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ServedModelNames = s_names });

        Answer answer = await RawGetAsync(server, path);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(id, answer.Json["id"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("/v1/models/")]
    [InlineData("//v1/models")]
    [InlineData("/V1/Models")]
    public async Task ModelList_HoweverItIsWritten_IsTheList(string path)
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ServedModelNames = s_names });

        Answer answer = await RawGetAsync(server, path);

        Assert.Equal(s_names, answer.Json["data"]!.AsArray().Select(card => card!["id"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\"default\"")]
    [InlineData("\"null\"")]
    [InlineData("null")]
    public async Task ModelOfARequest_ThatNamesNone_IsTheServedOne(string model)
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ServedModelNames = s_names });

        Answer chat = await server.ChatAsync($"\"model\":{model}");
        Answer completion = await server.CompleteAsync($"\"model\":{model}");
        Answer tokens = await server.PostAsync("/tokenize", $$"""{"prompt":"hello","model":{{model}}}""");

        Assert.Equal((s_names[0], s_names[0]), (chat.Json["model"]!.GetValue<string>(), completion.Json["model"]!.GetValue<string>()));
        Assert.Equal(HttpStatusCode.OK, tokens.Status);
    }

    [Fact]
    public async Task ModelOfARequest_ThatIsReallyCalledDefault_IsThatOne()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ServedModelNames = ["ernie", "default", "ernie"] });

        Answer chat = await server.ChatAsync("\"model\":\"default\"");
        Answer list = await server.GetAsync("/v1/models");

        Assert.Equal("default", chat.Json["model"]!.GetValue<string>());
        Assert.Equal(2, list.Json["data"]!.AsArray().Count);
    }

    [Fact]
    public async Task HeadAndOptions_AreAnsweredWhereverAPathIs()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var context = new ServerContext(new FakeHost(new FakeEngine()), new ServerOptions());

        foreach (ServerRoute route in RouteTable.Create(context))
        {
            string path = route.Pattern.Replace("{**id}", "fake-model", StringComparison.Ordinal);
            Answer options = await server.SendAsync(HttpMethod.Options, path);
            Assert.True(options.Status == HttpStatusCode.NoContent, $"OPTIONS {path}: {options.Status}");
            Assert.Equal(route.AllMethods, options.Response.Content.Headers.Allow);
            if (!route.Methods.Contains("GET"))
                continue;
            Answer get = await server.GetAsync(path);
            Answer head = await server.SendAsync(HttpMethod.Head, path);
            Assert.Equal((path, get.Status, ""), (path, head.Status, head.Text));
            Assert.Equal(get.Response.Content.Headers.ContentType, head.Response.Content.Headers.ContentType);
        }
    }

    [Fact]
    public async Task Options_WhereKeysAreSet_NeedsNone()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ApiKeys = ["k"], AdminKey = "root" });

        Assert.Equal(HttpStatusCode.NoContent, (await server.SendAsync(HttpMethod.Options, "/v1/chat/completions")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await server.SendAsync(HttpMethod.Options, "/v1/pause")).Status);
        Assert.False(server.Engine.Paused);
    }

    [Theory]
    [InlineData("/v1/pause/")]
    [InlineData("//v1/pause")]
    [InlineData("/v1//pause")]
    [InlineData("/V1/PAUSE")]
    [InlineData("/v1/%70ause")]
    public async Task ControlPath_HoweverItIsWritten_NeedsTheKey(string path)
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { AdminKey = "root" });
        using RawConnection connection = await RawConnection.OpenAsync(server.Client.BaseAddress!);

        await connection.SendAsync($"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
        string answer = await connection.ReadToEndAsync();

        Assert.StartsWith("HTTP/1.1 401", answer);
        Assert.False(server.Engine.Paused);
    }

    [Fact]
    public async Task UnknownPath_Is404ThatHelps()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer meant = await server.PostAsync("/chat/completions", "{}");
        Answer nothing = await server.GetAsync("/" + new string('x', 1000));
        Answer method = await server.GetAsync("/v1/chat/completions");

        meant.AssertError(HttpStatusCode.NotFound, code: "not_found");
        Assert.Contains("Did you mean /v1/chat/completions?", meant.Json["error"]!["message"]!.GetValue<string>());
        nothing.AssertError(HttpStatusCode.NotFound);
        Assert.True(nothing.Json["error"]!["message"]!.GetValue<string>().Length < 300);
        method.AssertError(HttpStatusCode.MethodNotAllowed);
        Assert.Contains("POST", method.Response.Content.Headers.Allow);
    }

    // HttpClient would tidy the path up.
    private static async Task<Answer> RawGetAsync(TestServer server, string path)
    {
        using RawConnection connection = await RawConnection.OpenAsync(server.Client.BaseAddress!);
        await connection.SendAsync($"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        string text = await connection.ReadToEndAsync();
        return new Answer((HttpStatusCode)int.Parse(text.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture), text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..], new HttpResponseMessage());
    }
}
