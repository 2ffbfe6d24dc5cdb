using OpenAI.Chat;

namespace Ernie.Server.Tests.Clients;

/// <summary>The official clients against what the server serves by default: the embedded model, on the real engine.</summary>
[Collection(TalesGroup.Name)]
public sealed class TalesClientTests(TalesServer tales)
{
    private TestServer Server => tales.Server;

    [Fact]
    public async Task OpenAiOfNuGet_StreamsAChatOfTheEmbeddedModel()
    {
        (string text, ChatFinishReason[] reasons, int? total, ChatCompletion plain) =
            await NuGetClient.ChatAsync(Server, "tales", "Tell me a story about a fox.");

        Assert.NotEqual("", text);
        Assert.Equal(plain.Content[0].Text, text);
        Assert.Equal([ChatFinishReason.Length], reasons);
        Assert.Equal(plain.Usage.TotalTokenCount, total);
        Assert.Equal(12, plain.ContentTokenLogProbabilities.Count);
    }

    [Fact]
    public async Task OpenAiOfNuGet_StreamsACompletionOfTheEmbeddedModel()
    {
        SseStream stream = await NuGetClient.CompleteAsync(Server, "Once upon a time");
        Answer plain = await Server.CompleteAsync("\"prompt\":\"Once upon a time\",\"max_tokens\":5,\"temperature\":0");

        Assert.True(stream.Done);
        Assert.NotEqual("", stream.Text());
        Assert.Equal(plain.FirstText, stream.Text());
        Assert.Equal(["length"], stream.FinishReasons());
    }

    [Fact]
    public async Task OpenAiOfNpm_StreamsAChatAndACompletionOfTheEmbeddedModel() => NodeClientTests.AssertStreams(await NodeClient.RunAsync(Server));
}
