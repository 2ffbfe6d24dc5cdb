using System.Text.Json.Nodes;

namespace Ernie.Server.Tests.Clients;

public sealed class NodeClientTests
{
    [Fact]
    public async Task OpenAiOfNpm_StreamsAChatAndACompletion()
    {
        await using TestServer server = await TestServer.StartAsync();

        JsonNode seen = await NodeClient.RunAsync(server);

        AssertStreams(seen);
        Assert.Equal(400, seen["error"]!["status"]!.GetValue<int>());
        Assert.Equal("messages", seen["error"]!["param"]!.GetValue<string>());
    }

    /// <summary>Both streams came in pieces, ended once and have the text of the answer in one piece.</summary>
    internal static void AssertStreams(JsonNode seen)
    {
        foreach (string kind in (string[])["chat", "completion"])
        {
            JsonNode stream = seen[kind]!;
            Assert.NotEqual("", stream["text"]!.GetValue<string>());
            Assert.Equal(stream["plain"]!.GetValue<string>(), stream["text"]!.GetValue<string>());
            Assert.Single(stream["finish"]!.AsArray());
            Assert.True(stream["chunks"]!.GetValue<int>() > 2);
        }

        Assert.Equal("assistant", seen["chat"]!["role"]!.GetValue<string>());
        Assert.NotNull(seen["chat"]!["usage"]);
    }
}
