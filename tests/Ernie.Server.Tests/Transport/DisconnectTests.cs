using Microsoft.Extensions.Logging;

namespace Ernie.Server.Tests.Transport;

public sealed class DisconnectTests
{
    private const string Stream = """{"prompt":"hello","stream":true,"max_tokens":200}""";

    /// <summary>Moments at which a client may be gone.</summary>
    public static TheoryData<string> Moments { get; } = ["before headers", "in headers", "in body", "while it waits", "in stream", "in answer"];

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task Reset_IsNoFailureOfTheServer(string moment)
    {
        var logs = new LogCollector();
        await using TestServer server = await TestServer.StartAsync(
            engine => engine.Before = (_, number, token) => number > 1 || moment == "while it waits" ? Task.Delay(Timeout.Infinite, token) : Task.CompletedTask, logs: logs);
        using RawConnection connection = await RawConnection.OpenAsync(server.Client.BaseAddress!);

        if (moment == "in headers")
            await connection.SendAsync("POST /v1/completions HTTP/1.1\r\nHost: local");
        if (moment is "in body" or "in stream" or "while it waits")
            await connection.BeginCompletionAsync(Stream.Length);
        if (moment == "in body")
            await connection.SendAsync(Stream[..10]);
        if (moment is "in stream" or "while it waits")
            await connection.SendAsync(Stream);
        if (moment == "in stream")
            await connection.ReadUntilAsync("data: ");
        if (moment == "while it waits")
            await Until.TrueAsync(() => server.Engine.Active == 1);
        if (moment == "in answer")
            await connection.SendAsync("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await Until.TrueAsync(() => server.Context.Connections.Open == 1 || moment == "in answer");
        connection.Reset();
        await Until.TrueAsync(() => server.Context.Connections.Open == 0 && server.Engine.Active == 0);

        Assert.DoesNotContain(logs.Lines, line => line.Level >= LogLevel.Warning);
    }
}
