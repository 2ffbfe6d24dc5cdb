using System.Net;
using Ernie.Server.Hosting;
using Ernie.Server.Tests.Fakes;

namespace Ernie.Server.Tests.Behaviours;

/// <summary>Renderings that take long: what else goes on, and what ends them.</summary>
public sealed class RenderingTests
{
    private const string Endless = $$"""{"messages":[{"role":"user","content":"{{FakeTemplate.Endless}}"}]}""";

    [Fact]
    public async Task Chat_WhileManyRenderingsDoNotEnd_OthersAreServed()
    {
        var template = new FakeTemplate();
        await using TestServer server = await TestServer.StartAsync(host: host => host with { ChatTemplate = template });
        using var clients = new CancellationTokenSource();
        Task[] endless = [.. Enumerable.Range(0, 24).Select(_ => server.OpenAsync("/v1/chat/completions", Endless, clients.Token))];
        while (template.EndlessCount == 0) await Task.Delay(1);

        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/health")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.CompleteAsync("")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.ChatAsync("")).Status);
        Assert.True(template.EndlessCount <= 1 + Math.Max(1, Environment.ProcessorCount / 2), $"{template.EndlessCount} at once");

        await clients.CancelAsync();
        foreach (Task request in endless) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        while (template.EndlessCount > 0) await Task.Delay(1);
        Assert.Equal(HttpStatusCode.OK, (await server.ChatAsync("")).Status);
    }

    [Fact]
    public async Task Tokenize_RenderingOfAClientThatLeaves_Ends()
    {
        var template = new FakeTemplate();
        await using TestServer server = await TestServer.StartAsync(host: host => host with { ChatTemplate = template });
        using var client = new CancellationTokenSource();
        Task request = server.OpenAsync("/tokenize", Endless, client.Token);
        while (template.EndlessCount == 0) await Task.Delay(1);

        await client.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        while (template.EndlessCount > 0) await Task.Delay(1);
    }

    [Fact]
    public async Task Run_RenderingThatIsQuick_RunsOnce()
    {
        using var lanes = new RenderingLanes(TimeSpan.FromHours(1));
        int runs = 0;

        Assert.Equal(7, await lanes.RunAsync(_ => 6 + ++runs, CancellationToken.None));

        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task Run_RenderingThatIsSlow_RunsAgainWithTheCallersTokenAlone()
    {
        using var lanes = new RenderingLanes(TimeSpan.FromMilliseconds(1));
        using var caller = new CancellationTokenSource();
        int runs = 0;

        int result = await lanes.RunAsync(
            token =>
            {
                runs++;
                if (token == caller.Token) return 7;
                token.WaitHandle.WaitOne();
                token.ThrowIfCancellationRequested();
                return 0;
            },
            caller.Token);

        Assert.Equal((7, 2), (result, runs));
    }

    [Fact]
    public async Task Run_RenderingThatFails_FreesItsPlace()
    {
        using var lanes = new RenderingLanes(TimeSpan.FromHours(1));

        for (int round = 0; round < 2 * Environment.ProcessorCount; round++)
            await Assert.ThrowsAsync<InvalidOperationException>(() => lanes.RunAsync<int>(_ => throw new InvalidOperationException(), CancellationToken.None));

        Assert.Equal(7, await lanes.RunAsync(_ => 7, CancellationToken.None));
    }
}
