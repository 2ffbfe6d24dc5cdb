using System.Net;
using Ernie.Server.Tests.Fakes;

namespace Ernie.Server.Tests.Behaviours;

public sealed class ServiceTests
{
    [Theory]
    [InlineData("/health")]
    [InlineData("/ready")]
    [InlineData("/ping")]
    [InlineData("/version")]
    [InlineData("/load")]
    [InlineData("/metrics")]
    [InlineData("/config-info")]
    [InlineData("/v1/models")]
    public async Task Service_Get_Answers(string path)
    {
        await using TestServer server = await TestServer.StartAsync();

        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync(path)).Status);
    }

    [Fact]
    public async Task Playground_IsOneSelfContainedPage()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ApiKeys = ["k"] });

        Answer page = await server.GetAsync("/");

        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.StartsWith("<!doctype html>", page.Text);
        // Nothing is fetched from elsewhere: the page works on a machine without a network.
        Assert.DoesNotContain("http://", page.Text);
        Assert.DoesNotContain("https://", page.Text);
    }

    [Fact]
    public async Task Tokenize_AndBack_IsTheText()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer ids = await server.PostAsync("/tokenize", """{"prompt":"hello king</s>","return_token_strs":true}""");
        Answer chat = await server.PostAsync("/tokenize", """{"messages":[{"role":"user","content":"hello"}]}""");
        Answer text = await server.PostAsync("/detokenize", $$"""{"tokens":{{ids.Json["tokens"]!.ToJsonString()}}}""");
        Answer missing = await server.PostAsync("/detokenize", "{}");
        Answer outside = await server.PostAsync("/detokenize", """{"tokens":[99999]}""");

        // Special tokens in a text stay text.
        Assert.DoesNotContain(ids.Json["tokens"]!.AsArray(), id => id!.GetValue<int>() == FakeTokenizer.Eos);
        Assert.Equal(ids.Json["count"]!.GetValue<int>(), ids.Json["tokens"]!.AsArray().Count);
        Assert.Equal("hello", ids.Json["token_strs"]![0]!.GetValue<string>());
        Assert.Equal(1, chat.Json["tokens"]![0]!.GetValue<int>());
        Assert.Equal("hello king</s>", text.Json["prompt"]!.GetValue<string>());
        missing.AssertError(HttpStatusCode.BadRequest, "tokens");
        outside.AssertError(HttpStatusCode.BadRequest, "tokens");
    }

    [Fact]
    public async Task Control_Endpoints_ReachTheEngine()
    {
        await using TestServer server = await TestServer.StartAsync();

        await server.PostAsync("/v1/pause", "");
        bool paused = server.Engine.Paused;
        await server.PostAsync("/v1/resume", "");
        Answer reset = await server.PostAsync("/reset_prefix_cache", "");
        Answer aborted = await server.PostAsync("/v1/abort_requests", "");

        Assert.True(paused);
        Assert.False(server.Engine.Paused);
        Assert.Equal(7, reset.Json["count"]!.GetValue<int>());
        Assert.Equal(0, aborted.Json["count"]!.GetValue<int>());
    }
}
