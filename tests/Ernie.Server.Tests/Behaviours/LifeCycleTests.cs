using System.Net;
using System.Text.RegularExpressions;
using Ernie.Server.Hosting;
using Ernie.Server.Tests.Fakes;

namespace Ernie.Server.Tests.Behaviours;

public sealed class LifeCycleTests
{
    [Theory, Trait("Behaviour", "41")]
    [InlineData(0, true)]
    [InlineData(0, false)]
    [InlineData(3, true)]
    [InlineData(3, false)]
    public async Task Disconnect_EndsTheSequences(int blockedEvent, bool stream)
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.Before =
            (_, number, token) => number >= blockedEvent ? Task.Delay(Timeout.Infinite, token) : Task.CompletedTask);
        using var disconnect = new CancellationTokenSource();

        Task request = DisconnectingAsync(server, $$"""{"prompt":"hello","n":2,"stream":{{(stream ? "true" : "false")}}}""", disconnect.Token);
        await UntilAsync(() => server.Engine.Active == 2);
        await disconnect.CancelAsync();
        await request;

        await UntilAsync(() => server.Engine.Active == 0);
        Assert.Equal(2, server.Engine.Cancelled);
        await UntilAsync(() => server.Context.Admission.Inside == 0);
    }

    [Fact, Trait("Behaviour", "42")]
    public async Task Stop_LetsRunningRequestsEnd()
    {
        var go = new TaskCompletionSource();
        var engine = new FakeEngine { Before = (_, number, _) => number == 2 ? go.Task : Task.CompletedTask };
        using var stopping = new CancellationTokenSource();
        var address = new TaskCompletionSource<string>();
        using var host = new ServerHost(new ServerOptions { Port = 0 }, address.SetResult);

        Task<int> running = host.RunAsync(new FakeHost(engine), [], stopping.Token);
        using var client = new HttpClient { BaseAddress = new Uri(await address.Task) };
        Task<HttpResponseMessage> request = client.PostAsync("/v1/completions", Json("""{"prompt":"hello","stream":true}"""));
        await UntilAsync(() => engine.Active == 1);
        await stopping.CancelAsync();
        await UntilAsync(async () => (await client.GetAsync("/ready")).StatusCode == HttpStatusCode.ServiceUnavailable);
        using HttpResponseMessage refused = await client.PostAsync("/v1/completions", Json("""{"prompt":"hello"}"""));
        go.SetResult();
        using HttpResponseMessage answered = await request;
        string body = await answered.Content.ReadAsStringAsync();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.EndsWith("data: [DONE]\n\n", body);
        Assert.Equal(0, await running);
    }

    [Fact, Trait("Behaviour", "42")]
    public async Task SecondStop_DoesNotWait()
    {
        var engine = new FakeEngine { Before = (_, _, token) => Task.Delay(Timeout.Infinite, token) };
        using var stopping = new CancellationTokenSource();
        var address = new TaskCompletionSource<string>();
        using var host = new ServerHost(new ServerOptions { Port = 0, GracefulShutdownSeconds = 600 }, address.SetResult);

        Task<int> running = host.RunAsync(new FakeHost(engine), [], stopping.Token);
        using var client = new HttpClient { BaseAddress = new Uri(await address.Task) };
        Task<HttpResponseMessage> request = client.PostAsync("/v1/completions", Json("""{"prompt":"hello"}"""));
        await UntilAsync(() => engine.Active == 1);
        await stopping.CancelAsync();
        host.Abort();

        Assert.Equal(0, await running.WaitAsync(TimeSpan.FromSeconds(20)));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => request);
        await UntilAsync(() => engine.Active == 0);
    }

    [Fact, Trait("Behaviour", "43")]
    public async Task Health_WhileAStepHangs_Fails()
    {
        var clock = new ManualClock();
        await using TestServer server = await TestServer.StartAsync(options: options => options with { HungStepSeconds = 10 }, clock: clock);

        Answer idle = await server.GetAsync("/health");
        server.Engine.StepInFlight = true;
        Answer begun = await server.GetAsync("/health");
        clock.Advance(TimeSpan.FromSeconds(11));
        Answer hung = await server.GetAsync("/health");
        Answer unready = await server.GetAsync("/ready");
        server.Engine.Steps++;
        Answer moved = await server.GetAsync("/health");

        HttpStatusCode[] statuses = [idle.Status, begun.Status, hung.Status, unready.Status, moved.Status];
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK], statuses);
    }

    [Fact, Trait("Behaviour", "43")]
    public async Task Metrics_ArePrometheusTextAndEqualTheTraffic()
    {
        await using TestServer server = await TestServer.StartAsync();

        for (int request = 0; request < 3; request++)
            await server.CompleteAsync("\"max_tokens\":4");
        await server.CompleteAsync("");
        string text = (await server.GetAsync("/metrics")).Text;

        AssertPrometheus(text);
        Assert.Equal(3, Sample(text, "vllm:request_success_total", "finished_reason=\"length\""));
        Assert.Equal(1, Sample(text, "vllm:request_success_total", "finished_reason=\"stop\""));
        Assert.Equal(4, Sample(text, "vllm:prompt_tokens_total"));
        Assert.Equal(4, Sample(text, "vllm:time_to_first_token_seconds_count"));
        Assert.Equal(4, Sample(text, "fastdeploy:time_to_first_token_seconds_count"));
        Assert.Equal(4, Sample(text, "vllm:e2e_request_latency_seconds_count"));
        double generated = Sample(text, "vllm:generation_tokens_total");
        Assert.Equal(generated - 4, Sample(text, "vllm:inter_token_latency_seconds_count"));
        Assert.Equal(0, Sample(text, "vllm:num_requests_running"));
        Assert.Equal(128, Sample(text, "fastdeploy:free_gpu_block_num"));
    }

    [Fact, Trait("Behaviour", "44")]
    public async Task CachedTokens_AreReported_OncePerPrompt()
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.CachedTokens = 1);

        Answer answer = await server.ChatAsync("\"n\":3,\"cache_salt\":\"tenant-a\"");
        Answer lists = await server.CompleteAsync("\"prompt\":[\"hello\",\" king\"],\"n\":2");

        Assert.Equal(1, answer.Json["usage"]!["prompt_tokens_details"]!["cached_tokens"]!.GetValue<int>());
        Assert.Equal(2, lists.Json["usage"]!["prompt_tokens_details"]!["cached_tokens"]!.GetValue<int>());
        Assert.Equal("tenant-a", server.Engine.Requests.First().CacheSalt);
    }

    private static void AssertPrometheus(string text)
    {
        var seen = new HashSet<string>();
        string? metric = null;
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
                continue;
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                string[] parts = line.Split(' ');
                metric = parts[2];
                Assert.Contains(parts[3], (string[])["counter", "gauge", "histogram"]);
                Assert.True(seen.Add(metric), $"{metric} has two TYPE lines");
                continue;
            }

            Assert.Matches("""^[a-zA-Z_:][a-zA-Z0-9_:]*\{([a-zA-Z_][a-zA-Z0-9_]*="(\\.|[^"\\])*",?)*\} -?([0-9.]+(E[-+]?[0-9]+)?|\+Inf|NaN)$""", line);
            Assert.StartsWith(metric!, line);
        }
    }

    private static double Sample(string text, string name, string label = "") => double.Parse(
        Regex.Match(text, $$"""^{{Regex.Escape(name)}}\{[^}]*{{Regex.Escape(label)}}[^}]*\} (.+)$""", RegexOptions.Multiline).Groups[1].Value,
        System.Globalization.CultureInfo.InvariantCulture);

    private static async Task DisconnectingAsync(TestServer server, string body, CancellationToken disconnect)
    {
        try
        {
            using HttpResponseMessage response = await server.OpenAsync("/v1/completions", body, disconnect);
            await response.Content.ReadAsStringAsync(disconnect);
        }
        catch (OperationCanceledException)
        {
            // That is the disconnect.
        }
    }

    private static StringContent Json(string body) => new(body, System.Text.Encoding.UTF8, "application/json");

    private static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
            await Task.Delay(5, limit.Token);
    }
}
