using System.ClientModel;
using OpenAI.Chat;

namespace Ernie.Server.Tests.Clients;

public sealed class NuGetClientTests
{
    [Fact]
    public async Task OpenAiOfNuGet_StreamsAChat()
    {
        await using TestServer server = await TestServer.StartAsync();

        (string text, ChatFinishReason[] reasons, int? total, ChatCompletion plain) = await NuGetClient.ChatAsync(server, "fake-model", "hello");

        Assert.NotEqual("", text);
        Assert.Equal(plain.Content[0].Text, text);
        Assert.Single(reasons);
        Assert.Equal(plain.Usage.TotalTokenCount, total);
        Assert.NotEmpty(plain.ContentTokenLogProbabilities);
    }

    [Fact]
    public async Task OpenAiOfNuGet_StreamsACompletion()
    {
        await using TestServer server = await TestServer.StartAsync();

        SseStream stream = await NuGetClient.CompleteAsync(server, "hello");

        Assert.True(stream.Done);
        Assert.Equal(6, stream.Chunks.Count());
        Assert.Equal(["length"], stream.FinishReasons());
    }

    [Fact]
    public async Task OpenAiOfNuGet_SeesErrorsAndKeys()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ApiKeys = ["right"] });

        ClientResultException wrongKey = await Assert.ThrowsAsync<ClientResultException>(
            () => NuGetClient.Create(server, "wrong").GetChatClient("fake-model").CompleteChatAsync([new UserChatMessage("x")]));
        ClientResultException wrongModel = await Assert.ThrowsAsync<ClientResultException>(
            () => NuGetClient.Create(server, "right").GetChatClient("gpt-4").CompleteChatAsync([new UserChatMessage("x")]));

        Assert.Equal(401, wrongKey.Status);
        Assert.Equal(404, wrongModel.Status);
        Assert.Contains("model_not_found", wrongModel.Message);
    }
}
