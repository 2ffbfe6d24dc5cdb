using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Ernie.Hosting.Options;
using Ernie.Server.Connections;
using Microsoft.Extensions.Logging;

namespace Ernie.Server.Tests.Transport;

public sealed class ConnectionTests
{
    [Fact]
    public async Task Connections_BeyondTheLimit_AreClosedAndTheOthersServed()
    {
        var logs = new LogCollector();
        await using TestServer server = await TestServer.StartAsync(options: options => options with { MaxConnections = 3 }, logs: logs);
        var held = new List<RawConnection>();

        for (int index = 0; index < 3; index++)
        {
            held.Add(await RawConnection.OpenAsync(server.Client.BaseAddress!));
            await held[^1].SendAsync("GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
            await held[^1].ReadUntilAsync("\"ok\"");
        }

        for (int index = 0; index < 5; index++)
        {
            var refused = new List<RawConnection>();
            await OpenAsync(server.Client.BaseAddress!, refused);
            foreach (RawConnection connection in refused)
                Assert.Equal("", await connection.ReadToEndAsync());
        }

        await held[0].SendAsync("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        string served = await held[0].ReadUntilAsync("\"ok\"");
        held.ForEach(connection => connection.Dispose());
        await Until.TrueAsync(() => server.Context.Connections.Open == 0);
        string metrics = (await server.GetAsync("/metrics")).Text;

        Assert.Contains("HTTP/1.1 200 OK", served);
        Assert.Contains("ernie_connections_refused_total{model_name=\"fake-model\"} 5\n", metrics);
        Assert.Contains("ernie_max_connections{model_name=\"fake-model\"} 3\n", metrics);
        Assert.Single(logs.Lines, line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task IdleConnections_UpToTheHandles_DoNotEndTheServer()
    {
        await using ServerProcess process = ServerProcess.Start(softHandles: 300, hardHandles: 700);
        Uri address = await process.Address;
        Match report = Regex.Match(process.Output, "handles +(\\d+) may be open \\(the hard limit is (\\d+)\\); (\\d+) connections at most");
        int most = int.Parse(report.Groups[3].Value, CultureInfo.InvariantCulture);
        var idle = new List<RawConnection>();

        // Twice as many as the process could have handles for.
        for (int index = 0; index < 1400; index++)
            await OpenAsync(address, idle);
        // The first ones are in. Where some of them leave, others are served beside those that stay idle.
        string metrics = await RetryAsync(address, idle, client => client.GetStringAsync("/metrics"));
        string generated = await RetryAsync(address, idle, async client =>
        {
            using var body = new StringContent("""{"prompt":"Once","max_tokens":3}""", Encoding.UTF8, "application/json");
            using HttpResponseMessage response = await client.PostAsync("/v1/completions", body);
            return await response.Content.ReadAsStringAsync();
        });
        idle.ForEach(connection => connection.Dispose());

        Assert.True(report.Success, process.Output);
        Assert.Equal(("700", "700"), (report.Groups[1].Value, report.Groups[2].Value));
        Assert.InRange(most, HandleLimit.LeastConnections, 700 - HandleLimit.HeadRoom);
        Assert.Contains("\"finish_reason\":\"length\"", generated);
        Assert.False(process.HasExited);
        Assert.Contains($"ernie_max_connections{{model_name=\"tales\"}} {most}\n", metrics);
        Assert.DoesNotContain("fail:", process.Output);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(399)]
    public async Task TooFewHandles_AreSaidAtTheStart(int handles)
    {
        await using ServerProcess process = ServerProcess.Start(handles, handles);

        int exit = await process.ExitAsync();

        Assert.Equal(2, exit);
        Assert.StartsWith($"The limit of open files is {handles} (hard limit {handles}): the server needs 400 at least", process.Output);
        Assert.Contains("ulimit -n 4096", process.Output);
        Assert.Single(process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData(1000, 840, 32)]
    [InlineData(1000, 10, 862)]
    [InlineData(long.MaxValue, 10, int.MaxValue)]
    public void Room_IsWhatIsLeft(long soft, int open, int room) => Assert.Equal(room, new HandleLimit(soft, soft).RoomForConnections(open));

    [Fact]
    public void Room_BelowTheLeast_IsAnError()
    {
        OptionException error = Assert.Throws<OptionException>(() => new HandleLimit(1000, 2000).RoomForConnections(841));

        Assert.StartsWith("The limit of open files is 1000 (hard limit 2000): with 841 open and 128 kept free it leaves 31 connections, and 32 are the least. Raise it", error.Message);
    }

    private static async Task OpenAsync(Uri address, List<RawConnection> open)
    {
        try
        {
            open.Add(await RawConnection.OpenAsync(address));
        }
        catch (SocketException)
        {
            // Refused so soon that it was never seen as open.
        }
    }

    private static async Task<string> RetryAsync(Uri address, List<RawConnection> idle, Func<HttpClient, Task<string>> ask)
    {
        using var client = new HttpClient { BaseAddress = address };
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            try
            {
                return await ask(client).WaitAsync(limit.Token);
            }
            catch (Exception exception) when (exception is HttpRequestException or SocketException or IOException)
            {
                // All places are taken, by some that waited to be let in when others left: more have to leave.
                idle.Take(20).ToList().ForEach(connection => connection.Dispose());
                idle.RemoveRange(0, Math.Min(20, idle.Count));
                await Task.Delay(20, limit.Token);
            }
        }
    }
}
