using System.Net;
using Ernie.Server.Hosting;
using Ernie.Server.Routing;
using Ernie.Server.Tests.Fakes;

namespace Ernie.Server.Tests.Transport;

public sealed class UnsupportedEndpointTests
{
    /// <summary>Paths of OpenAI's reference and of peers, as their clients send them.</summary>
    public static TheoryData<string, string> Requests { get; } = new()
    {
        { "POST", "/v1/embeddings" }, { "POST", "/v1/responses" }, { "GET", "/v1/responses/resp_1/input_items" }, { "POST", "/v1/messages" },
        { "POST", "/v1/messages/count_tokens" }, { "POST", "/v1/audio/transcriptions" }, { "POST", "/v1/audio/speech" }, { "POST", "/v1/images/generations" },
        { "GET", "/v1/files" }, { "GET", "/v1/files/file-1/content" }, { "DELETE", "/v1/files/file-1" }, { "POST", "/v1/uploads" }, { "POST", "/v1/batches" },
        { "GET", "/v1/batches/batch_1" }, { "POST", "/v1/fine_tuning/jobs" }, { "POST", "/v1/moderations" }, { "GET", "/v1/assistants" }, { "POST", "/v1/threads/runs" },
        { "GET", "/v1/vector_stores/vs_1/files" }, { "GET", "/v1/realtime" }, { "POST", "/v1/realtime/sessions" }, { "POST", "/rerank" }, { "POST", "/v1/rerank" },
        { "POST", "/v2/rerank" }, { "POST", "/score" }, { "POST", "/v1/score" }, { "POST", "/pooling" }, { "POST", "/classify" }, { "POST", "/generate" },
        { "POST", "/api/chat" }, { "GET", "/api/tags" }, { "POST", "/v1/load_lora_adapter" }, { "GET", "/v1/chat/completions/chatcmpl-1" }, { "GET", "/v1/evals" },
        { "POST", "/invocations" }, { "POST", "/v1/conversations" }, { "POST", "/v1/videos" },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task KnownPath_NotServed_SaysSo(string method, string path)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.SendAsync(new HttpMethod(method), path, method == "POST" ? """{"model":"fake-model","input":"x"}""" : null);

        answer.AssertError(HttpStatusCode.BadRequest, code: "unsupported_endpoint");
        string message = answer.Json["error"]!["message"]!.GetValue<string>();
        Assert.StartsWith($"{path} is not supported by this server (", message);
    }

    [Fact]
    public async Task Upload_OfAnotherContentType_IsToldTheSame()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var form = new MultipartFormDataContent { { new ByteArrayContent([1, 2, 3]), "file", "speech.wav" } };

        using HttpResponseMessage response = await server.Client.PostAsync("/v1/audio/transcriptions", form);

        (await Answer.ReadAsync(response)).AssertError(HttpStatusCode.BadRequest, code: "unsupported_endpoint");
    }

    [Fact]
    public void Table_AndWhatIsServed_DoNotOverlap()
    {
        using var context = new ServerContext(new FakeHost(new FakeEngine()), new ServerOptions());
        string[] served = [.. RouteTable.Create(context).Select(route => route.Pattern)];
        string[] unsupported = [.. UnsupportedEndpoints.All.SelectMany(endpoint => endpoint.Paths)];

        Assert.Empty(unsupported.Intersect(served));
        Assert.Equal(unsupported.Length, unsupported.Distinct().Count());
    }
}
