using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using System.Text.Json.Nodes;
using OpenAI;
using OpenAI.Chat;

namespace Ernie.Server.Tests.Clients;

/// <summary>The official client of NuGet, streaming from a server.</summary>
internal static class NuGetClient
{
    /// <summary>A client that does not try again.</summary>
    public static OpenAIClient Create(TestServer server, string key = "none") => new(
        new ApiKeyCredential(key),
        new OpenAIClientOptions { Endpoint = new Uri(server.Client.BaseAddress!, "/v1"), RetryPolicy = new ClientRetryPolicy(0) });

    /// <summary>Streams a greedy chat, then asks for the same in one piece.</summary>
    public static async Task<(string Text, ChatFinishReason[] Reasons, int? TotalTokens, ChatCompletion Plain)> ChatAsync(TestServer server, string model, string message)
    {
        ChatClient client = Create(server).GetChatClient(model);
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 12, Temperature = 0 };
        var text = new StringBuilder();
        var reasons = new List<ChatFinishReason>();
        int? total = null;
        await foreach (StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync([new UserChatMessage(message)], options))
        {
            foreach (ChatMessageContentPart part in update.ContentUpdate)
                text.Append(part.Text);
            if (update.FinishReason is { } reason)
                reasons.Add(reason);
            total = update.Usage?.TotalTokenCount ?? total;
        }

        options.IncludeLogProbabilities = true;
        return (text.ToString(), [.. reasons], total, await client.CompleteChatAsync([new UserChatMessage(message)], options));
    }

    /// <summary>Streams a greedy completion of at most five tokens.</summary>
    /// <remarks>The library has no typed client of this endpoint; its pipeline sends any request.</remarks>
    public static async Task<SseStream> CompleteAsync(TestServer server, string prompt)
    {
        OpenAIClient client = Create(server);
        using PipelineMessage message = client.Pipeline.CreateMessage();
        message.BufferResponse = false;
        message.Request.Method = "POST";
        message.Request.Uri = new Uri(server.Client.BaseAddress!, "/v1/completions");
        message.Request.Headers.Set("Content-Type", "application/json");
        var body = new JsonObject { ["prompt"] = prompt, ["stream"] = true, ["max_tokens"] = 5, ["temperature"] = 0 };
        message.Request.Content = BinaryContent.Create(BinaryData.FromString(body.ToJsonString()));
        await client.Pipeline.SendAsync(message);
        PipelineResponse response = message.Response!; // Sent above.
        using var reader = new StreamReader(response.ContentStream!); // Not buffered, so it is a stream.
        response.Headers.TryGetValue("Content-Type", out string? type);
        return SseStream.Parse((System.Net.HttpStatusCode)response.Status, type?.Split(';')[0], await reader.ReadToEndAsync());
    }
}
