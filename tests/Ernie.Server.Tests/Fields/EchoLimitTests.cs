using System.Net;
using System.Net.Http.Headers;

namespace Ernie.Server.Tests.Fields;

/// <summary>An error says what came in, but never repeats more than 200 characters of it.</summary>
public sealed class EchoLimitTests
{
    private static readonly string s_long = new('ж', 5000);

    public static TheoryData<string, string> Bodies => new()
    {
        { "/v1/chat/completions", $$"""{"messages":[{"role":"{{s_long}}","content":"x"}]}""" },
        { "/v1/chat/completions", $$"""{"messages":[{"role":"user","content":[{"type":"{{s_long}}"}]}]}""" },
        { "/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"x"}],"model":"{{s_long}}"}""" },
        { "/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"x"}],"sampler":"{{s_long}}"}""" },
        { "/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"x"}],"reasoning_effort":"{{s_long}}"}""" },
        { "/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"x"}],"truncation_side":"{{s_long}}"}""" },
        { "/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"x"}],"logit_bias":{"{{s_long}}":1} }""" },
        { "/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"x"}],"vllm_xargs":{"{{s_long}}":true} }""" },
        { "/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"x"}],"seed":1{{new string('0', 5000)}}}""" },
        { "/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"x"}],"temperature":1{{new string('0', 5000)}}}""" },
        { "/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"x"}],"request_id":"{{s_long}}"}""" },
        { "/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"x"}],"chat_template":"{{s_long}}{% {{s_long}} %}"}""" },
        { "/v1/chat/completions", s_long },
        { "/v1/completions", $$"""{"prompt":"x","model":"{{s_long}}"}""" },
        { "/tokenize", $$"""{"prompt":"x","model":"{{s_long}}"}""" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Error_OfALongValue_RepeatsLittleOfIt(string path, string body)
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { TrustRequestChatTemplate = true });

        Answer answer = await server.PostAsync(path, body);

        Assert.InRange((int)answer.Status, 400, 404);
        Assert.True(answer.Text.Count(letter => letter == 'ж') <= 200, answer.Text);
        Assert.True(answer.Text.Length < 900, answer.Text);
    }

    [Fact]
    public async Task Error_OfALongPathOrHeader_RepeatsLittleOfIt()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer path = await server.GetAsync("/v1/" + new string('z', 3000));
        Answer type = await server.PostAsync("/v1/completions", "{}", "text/" + new string('z', 3000));

        Assert.True(path.Text.Count(letter => letter == 'z') <= 200, path.Text);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, type.Status);
        Assert.True(type.Text.Count(letter => letter == 'z') <= 200, type.Text);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("zstd")]
    public async Task CompressedBody_Is415NamingTheEncoding(string encoding)
    {
        await using TestServer server = await TestServer.StartAsync();
        using var content = new ByteArrayContent([0x1F, 0x8B, 8, 0]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        content.Headers.ContentEncoding.Add(encoding);

        using HttpResponseMessage response = await server.Client.PostAsync("/v1/chat/completions", content);
        Answer answer = await Answer.ReadAsync(response);

        answer.AssertError(HttpStatusCode.UnsupportedMediaType, code: "unsupported_content_encoding");
        Assert.Contains($"'{encoding}'", answer.Json["error"]!["message"]!.GetValue<string>());
    }

    [Fact]
    public async Task BodyThatSaysItIsPlain_IsTaken()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var content = new StringContent("""{"prompt":"hello"}""", System.Text.Encoding.UTF8, "application/json");
        content.Headers.ContentEncoding.Add("identity");

        using HttpResponseMessage response = await server.Client.PostAsync("/v1/completions", content);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }
}
