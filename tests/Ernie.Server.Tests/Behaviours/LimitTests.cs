using System.Net;
using System.Net.Http.Headers;
using Ernie.Generation;

namespace Ernie.Server.Tests.Behaviours;

public sealed class LimitTests
{
    [Fact, Trait("Behaviour", "39")]
    public async Task Keys_WhereSet_AreAskedForExceptByProbes()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ApiKeys = ["k1", "k2"], AdminKey = "root" });

        Answer without = await server.ChatAsync("");
        Answer health = await server.GetAsync("/health");
        Answer metrics = await server.GetAsync("/metrics");
        Answer models = await server.GetAsync("/v1/models");
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "k3");
        Answer wrong = await server.ChatAsync("");
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "k2");
        Answer right = await server.ChatAsync("");
        Answer control = await server.PostAsync("/v1/pause", "{}");
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "root");
        Answer admin = await server.PostAsync("/v1/pause", "{}");

        without.AssertError(HttpStatusCode.Unauthorized, code: "invalid_api_key");
        models.AssertError(HttpStatusCode.Unauthorized);
        wrong.AssertError(HttpStatusCode.Unauthorized);
        control.AssertError(HttpStatusCode.Unauthorized);
        Assert.Equal(HttpStatusCode.OK, health.Status);
        Assert.Equal(HttpStatusCode.OK, metrics.Status);
        Assert.Equal(HttpStatusCode.OK, right.Status);
        Assert.Equal(HttpStatusCode.OK, admin.Status);
        Assert.True(server.Engine.Paused);
    }

    [Fact, Trait("Behaviour", "39")]
    public async Task Preflight_FromAnAllowedOrigin_IsAnswered()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ApiKeys = ["k"], AllowedOrigins = ["https://app.example"] });

        using HttpResponseMessage allowed = await PreflightAsync(server, "https://app.example");
        using HttpResponseMessage other = await PreflightAsync(server, "https://evil.example");

        Assert.Equal(HttpStatusCode.NoContent, allowed.StatusCode);
        Assert.Equal("https://app.example", allowed.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.False(other.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact, Trait("Behaviour", "40")]
    public async Task FullQueue_Is429WithRetryAfter()
    {
        await using TestServer server = await TestServer.StartAsync(
            engine => engine.Reject = _ => new RequestRejectedException(RejectionReason.QueueFull, "4 sequences wait, and 4 may."));

        Answer answer = await server.ChatAsync("");

        answer.AssertError(HttpStatusCode.TooManyRequests, code: "queue_full");
        Assert.NotNull(answer.Response.Headers.RetryAfter);
    }

    [Fact, Trait("Behaviour", "40")]
    public async Task MaxConcurrency_OneMore_Is429()
    {
        var go = new TaskCompletionSource();
        await using TestServer server = await TestServer.StartAsync(
            engine => engine.Before = (_, _, _) => go.Task, options => options with { MaxConcurrency = 2 });

        Task<Answer>[] running = [server.ChatAsync(""), server.ChatAsync("")];
        while (server.Engine.Active < 2)
            await Task.Delay(5);
        Answer third = await server.ChatAsync("");
        go.SetResult();
        Answer[] answers = await Task.WhenAll(running);
        Answer after = await server.ChatAsync("");

        third.AssertError(HttpStatusCode.TooManyRequests);
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal(HttpStatusCode.OK, after.Status);
    }

    [Fact, Trait("Behaviour", "40")]
    public async Task MaxWaitingTime_Exceeded_Is429AndFreesTheSequence()
    {
        await using TestServer server = await TestServer.StartAsync(
            engine => engine.Before = (_, _, token) => Task.Delay(Timeout.Infinite, token), options => options with { MaxWaitingSeconds = 0.05 });

        Answer answer = await server.ChatAsync("");

        answer.AssertError(HttpStatusCode.TooManyRequests);
        Assert.Equal(0, server.Engine.Active);
    }

    [Fact, Trait("Behaviour", "40")]
    public async Task Draining_Is503WithRetryAfter()
    {
        await using TestServer server = await TestServer.StartAsync();

        server.Context.Admission.StartDraining();
        Answer answer = await server.ChatAsync("");
        Answer ready = await server.GetAsync("/ready");
        Answer health = await server.GetAsync("/health");

        answer.AssertError(HttpStatusCode.ServiceUnavailable, code: "draining");
        Assert.NotNull(answer.Response.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.Status);
        Assert.Equal(HttpStatusCode.OK, health.Status);
    }

    [Fact, Trait("Behaviour", "40")]
    public async Task Body_TooLarge_Is413()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { MaxBodyBytes = 1000 });
        string Body(int bytes) => $$"""{"prompt":"{{new string('x', bytes - 13)}}"}""";

        Answer fits = await server.PostAsync("/v1/completions", Body(200));
        Answer tooLarge = await server.PostAsync("/v1/completions", Body(1001));

        Assert.Equal(HttpStatusCode.OK, fits.Status);
        tooLarge.AssertError(HttpStatusCode.RequestEntityTooLarge);
    }

    private static async Task<HttpResponseMessage> PreflightAsync(TestServer server, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/v1/chat/completions");
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
        return await server.Client.SendAsync(request);
    }
}
