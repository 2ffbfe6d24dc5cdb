using System.Net;
using Ernie.Server.Hosting;
using Ernie.Server.Tests.Fakes;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Ernie.Server.Tests.Transport;

public sealed class SlowBodyTests
{
    [Fact]
    public async Task UnfinishedBodies_HoldNoPlace()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { MaxConcurrency = 1 });
        var slow = new List<RawConnection>();
        for (int index = 0; index < 20; index++)
        {
            slow.Add(await RawConnection.OpenAsync(server.Client.BaseAddress!));
            await slow[^1].BeginCompletionAsync(100);
            await slow[^1].SendAsync("{\"prompt\":");
        }

        await Until.TrueAsync(() => server.Context.Metrics.Received == 20);
        Answer answer = await server.CompleteAsync("");
        await slow[7].SendAsync("\"hello\"}".PadRight(90));
        string late = await slow[7].ReadUntilAsync("finish_reason");
        slow.ForEach(connection => connection.Dispose());

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.StartsWith("HTTP/1.1 200", late);
    }

    [Fact]
    public async Task Body_ThatDoesNotCome_Is408()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { BodySeconds = 0.1 });
        using RawConnection connection = await RawConnection.OpenAsync(server.Client.BaseAddress!);

        await connection.BeginCompletionAsync(100);
        string answer = await connection.ReadUntilAsync("request_timeout");

        Assert.StartsWith("HTTP/1.1 408", answer);
        Assert.Contains("Connection: close", answer);
        Assert.Contains("\"type\":\"invalid_request_error\"", answer);
    }

    [Fact]
    public async Task Headers_ThatDoNotCome_CloseTheConnection()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { HeaderSeconds = 0.5 });
        using RawConnection connection = await RawConnection.OpenAsync(server.Client.BaseAddress!);

        await connection.SendAsync("POST /v1/completions HTTP/1.1\r\nHost: loc");
        string answer = await connection.ReadToEndAsync();

        Assert.StartsWith("HTTP/1.1 408", answer);
        await Until.TrueAsync(() => server.Context.Connections.Open == 0);
    }

    [Fact]
    public async Task Limits_AreThoseOfTheSettings()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { MinBodyBytesPerSecond = 2000, HeaderSeconds = 7 });

        KestrelServerLimits limits = server.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits;

        Assert.Equal((2000.0, 5.0), (limits.MinRequestBodyDataRate!.BytesPerSecond, limits.MinRequestBodyDataRate.GracePeriod.TotalSeconds));
        Assert.Equal(7, limits.RequestHeadersTimeout.TotalSeconds);
        // The pace of the field's attack, 400 bytes per second, is too slow.
        Assert.True(new ServerOptions().MinBodyBytesPerSecond > 400);
    }

    [Fact]
    public async Task LargeBodies_HalfRead_AreBoundedInMemory()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { MaxBufferedBodyBytes = 100_000 });
        using RawConnection first = await RawConnection.OpenAsync(server.Client.BaseAddress!);
        string large = $$"""{"prompt":"hello","user":"{{new string('x', 150_000)}}"}""";

        await first.BeginCompletionAsync(large.Length + 1);
        await first.SendAsync(large);
        // Counted while it is held: another one of its size does not fit beside it, a small one does.
        Answer second = await server.PostAsync("/v1/completions", large);
        while (second.Status == HttpStatusCode.OK)
            second = await server.PostAsync("/v1/completions", large);
        Answer small = await server.CompleteAsync("");
        await first.SendAsync(" ");
        string whole = await first.ReadUntilAsync("finish_reason");
        Answer after = await server.PostAsync("/v1/completions", large);

        second.AssertError(HttpStatusCode.ServiceUnavailable, code: "overloaded");
        Assert.NotNull(second.Response.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.OK, small.Status);
        Assert.StartsWith("HTTP/1.1 200", whole);
        Assert.Equal(HttpStatusCode.OK, after.Status);
    }

    [Fact]
    public async Task Drain_DoesNotWaitForUnfinishedBodies()
    {
        var engine = new FakeEngine();
        using var stopping = new CancellationTokenSource();
        var address = new TaskCompletionSource<string>();
        using var host = new ServerHost(new ServerOptions { Port = 0, GracefulShutdownSeconds = 600 }, address.SetResult);

        Task<int> running = host.RunAsync(new FakeHost(engine), [], stopping.Token);
        using RawConnection connection = await RawConnection.OpenAsync(new Uri(await address.Task));
        await connection.BeginCompletionAsync(100);
        await connection.SendAsync("{");
        await stopping.CancelAsync();
        string answer = await connection.ReadToEndAsync();

        Assert.Equal(0, await running.WaitAsync(TimeSpan.FromSeconds(30)));
        // A connection whose request had not been seen yet is closed without an answer.
        if (answer.Length > 0)
            Assert.StartsWith("HTTP/1.1 503", answer);
        Assert.Empty(engine.Requests);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    public async Task Drain_EndsWithItsTime_WhateverRuns(double seconds)
    {
        var engine = new FakeEngine { Before = (_, number, token) => number > 0 ? Task.Delay(Timeout.Infinite, token) : Task.CompletedTask };
        using var stopping = new CancellationTokenSource();
        var address = new TaskCompletionSource<string>();
        using var host = new ServerHost(new ServerOptions { Port = 0, GracefulShutdownSeconds = seconds }, address.SetResult);

        Task<int> running = host.RunAsync(new FakeHost(engine), [], stopping.Token);
        var server = new Uri(await address.Task);
        using RawConnection stream = await RawConnection.OpenAsync(server);
        const string Body = """{"prompt":"hello","stream":true}""";
        await stream.BeginCompletionAsync(Body.Length);
        await stream.SendAsync(Body);
        await stream.ReadUntilAsync("data: ");
        using RawConnection slow = await RawConnection.OpenAsync(server);
        await slow.BeginCompletionAsync(100);
        using RawConnection idle = await RawConnection.OpenAsync(server);
        await stopping.CancelAsync();

        Assert.Equal(0, await running.WaitAsync(TimeSpan.FromSeconds(30)));
        await Until.TrueAsync(() => engine.Active == 0);
    }
}
