using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using OpenAI;
using OpenAI.Chat;

namespace Ernie.Server.Tests.Clients;

/// <summary>The official client of NuGet.</summary>
public sealed class DotNetClientTests
{
    [Fact]
    public async Task OpenAiOfNuGet_StreamsAChat()
    {
        await using TestServer server = await TestServer.StartAsync();
        ChatClient client = CreateClient(server).GetChatClient("fake-model");

        var text = new StringBuilder();
        var reasons = new List<ChatFinishReason>();
        int? total = null;
        await foreach (StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync([new UserChatMessage("hello")], new ChatCompletionOptions { MaxOutputTokenCount = 12 }))
        {
            foreach (ChatMessageContentPart part in update.ContentUpdate)
                text.Append(part.Text);
            if (update.FinishReason is { } reason)
                reasons.Add(reason);
            total = update.Usage?.TotalTokenCount ?? total;
        }

        ChatCompletion plain = await client.CompleteChatAsync([new UserChatMessage("hello")], new ChatCompletionOptions { MaxOutputTokenCount = 12, IncludeLogProbabilities = true });

        Assert.Equal(plain.Content[0].Text, text.ToString());
        Assert.NotEqual("", text.ToString());
        Assert.Single(reasons);
        Assert.Equal(plain.Usage.TotalTokenCount, total);
        Assert.NotEmpty(plain.ContentTokenLogProbabilities);
    }

    [Fact]
    public async Task OpenAiOfNuGet_StreamsACompletion()
    {
        await using TestServer server = await TestServer.StartAsync();
        OpenAIClient client = CreateClient(server);

        // The library has no typed client of the completions endpoint; its pipeline sends any request.
        using PipelineMessage message = client.Pipeline.CreateMessage();
        message.BufferResponse = false;
        message.Request.Method = "POST";
        message.Request.Uri = new Uri(server.Client.BaseAddress!, "/v1/completions");
        message.Request.Headers.Set("Content-Type", "application/json");
        message.Request.Content = BinaryContent.Create(BinaryData.FromString("""{"prompt":"hello","stream":true,"max_tokens":5}"""));
        await client.Pipeline.SendAsync(message);
        using var reader = new StreamReader(message.Response!.ContentStream!);
        string stream = await reader.ReadToEndAsync();

        Assert.Equal(200, message.Response.Status);
        Assert.EndsWith("data: [DONE]\n\n", stream);
        Assert.Equal(6, stream.Split("data: {").Length - 1);
    }

    [Fact]
    public async Task OpenAiOfNuGet_SeesErrorsAndKeys()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ApiKeys = ["right"] });

        ClientResultException wrongKey = await Assert.ThrowsAsync<ClientResultException>(
            () => CreateClient(server, "wrong").GetChatClient("fake-model").CompleteChatAsync([new UserChatMessage("x")]));
        ClientResultException wrongModel = await Assert.ThrowsAsync<ClientResultException>(
            () => CreateClient(server, "right").GetChatClient("gpt-4").CompleteChatAsync([new UserChatMessage("x")]));

        Assert.Equal(401, wrongKey.Status);
        Assert.Equal(404, wrongModel.Status);
        Assert.Contains("model_not_found", wrongModel.Message);
    }

    private static OpenAIClient CreateClient(TestServer server, string key = "none") => new(
        new ApiKeyCredential(key),
        new OpenAIClientOptions { Endpoint = new Uri(server.Client.BaseAddress!, "/v1"), RetryPolicy = new ClientRetryPolicy(0) });
}
