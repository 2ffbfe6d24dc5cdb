using System.Net;
using Ernie.Hosting;
using Ernie.Hosting.Options;
using Ernie.Server.Hosting;
using Ernie.Server.Security;

namespace Ernie.Server.Tests.Transport;

[Collection(TalesGroup.Name)]
public sealed class TenantTests
{
    private const int TokensPerPage = 64;

    /// <summary>The shipped policy, through HTTP: whoever fills more than a quarter of the pool gives its own pages back.</summary>
    [Theory]
    [InlineData("keys", true)]
    [InlineData("named keys", true)]
    [InlineData("header", true)]
    [InlineData("one tenant", false)]
    public async Task TenantQuota_KeepsThePagesOfTheOther(string how, bool isKept)
    {
        OptionSet options = new OptionParser(OptionTable.WithoutServer).Parse(
            ["--device", "cpu", "--max-model-len", "1024", "--num-gpu-blocks-override", "24", "--max-num-seqs", "4", "--cache-policy", "tenant-quota"], _ => null);
        await using EngineSession session = await new EngineBuilder(options).BuildAsync();
        await using TestServer server = await TestServer.StartAsync(session, options: settings => Configure(settings, how));
        (string, string) quiet = how == "header" ? ("X-Team", "quiet") : ("X-Api-Key", "k1");
        (string, string) loud = how == "header" ? ("X-Team", "loud") : ("X-Api-Key", "k2");

        await CachedAsync(server, 1, quiet);
        // Thirty pages through a pool of twenty-four.
        for (int prompt = 2; prompt < 12; prompt++)
            await CachedAsync(server, prompt, loud);
        int cached = await CachedAsync(server, 1, quiet);

        Assert.Equal(isKept ? 3 * TokensPerPage : 0, cached);
    }

    [Fact]
    public async Task Tenant_ReachesTheEngine()
    {
        await using TestServer server = await TestServer.StartAsync(
            options: settings => settings with { ApiKeys = ["ann=k1", "k2", "ann=k3", "bob=k4"], TenantHeader = "X-Team" });
        (string, string)[][] callers = [[("X-Api-Key", "k1")], [("X-Api-Key", "k2")], [("X-Api-Key", "k3")], [("X-Api-Key", "k4")], [("X-Api-Key", "k1"), ("X-Team", "red")], [("X-Api-Key", "k2"), ("X-Team", "bob")]];

        foreach ((string, string)[] headers in callers)
            Assert.Equal(HttpStatusCode.OK, (await server.SendAsync(HttpMethod.Post, "/v1/completions", """{"prompt":"hello"}""", headers)).Status);

        Assert.Equal([1, 2, 1, 3, 4, 3], server.Engine.Requests.Select(request => request.Tenant));
    }

    [Fact]
    public async Task Tenant_WithoutKeysOrHeader_IsNone()
    {
        await using TestServer server = await TestServer.StartAsync();

        await server.SendAsync(HttpMethod.Post, "/v1/completions", """{"prompt":"hello"}""", ("X-Team", "red"));

        Assert.Equal(0, server.Engine.Requests.Single().Tenant);
    }

    [Fact]
    public void Tenants_OfAHeader_AreBounded()
    {
        var table = new TenantTable([]);

        int[] numbers = [.. Enumerable.Range(1, TenantTable.MostTenants + 1).Select(index => table.NumberOf($"tenant {index}"))];

        Assert.Equal([.. Enumerable.Range(1, TenantTable.MostTenants), 0], numbers);
        Assert.Equal(1, table.NumberOf("tenant 1"));
    }

    private static ServerOptions Configure(ServerOptions settings, string how) => how switch
    {
        "keys" => settings with { ApiKeys = ["k1", "k2"] },
        "named keys" => settings with { ApiKeys = ["ann=k1", "bob=k2"] },
        "header" => settings with { TenantHeader = "X-Team" },
        _ => settings with { ApiKeys = ["ann=k1", "ann=k2"] },
    };

    /// <summary>Sends a prompt of three pages and a token of its own; answers how much of it was cached.</summary>
    private static async Task<int> CachedAsync(TestServer server, int prompt, (string, string) caller)
    {
        string ids = string.Join(',', Enumerable.Range(0, (3 * TokensPerPage) + 1).Select(index => 300 + (prompt * 7) + (index % 5)));
        Answer answer = await server.SendAsync(HttpMethod.Post, "/v1/completions", $$"""{"prompt":[{{ids}}],"max_tokens":1,"temperature":0}""", caller);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return answer.Json["usage"]!["prompt_tokens_details"]!["cached_tokens"]!.GetValue<int>();
    }
}
