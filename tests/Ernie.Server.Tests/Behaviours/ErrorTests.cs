using System.Net;
using Ernie.Generation;

namespace Ernie.Server.Tests.Behaviours;

public sealed class ErrorTests
{
    [Theory, Trait("Behaviour", "28")]
    [InlineData("temperature", "-0.1")]
    [InlineData("temperature", "\"hot\"")]
    [InlineData("temperature", "1e999")]
    [InlineData("top_p", "1.01")]
    [InlineData("top_k", "-2")]
    [InlineData("top_k", "1.5")]
    [InlineData("min_p", "-0.01")]
    [InlineData("min_p", "1.01")]
    [InlineData("repetition_penalty", "0")]
    [InlineData("presence_penalty", "2.01")]
    [InlineData("frequency_penalty", "-2.01")]
    [InlineData("n", "0")]
    [InlineData("n", "129")]
    [InlineData("n", "true")]
    [InlineData("max_tokens", "0")]
    [InlineData("max_tokens", "-1")]
    [InlineData("max_completion_tokens", "\"5\"")]
    [InlineData("min_tokens", "-1")]
    [InlineData("top_logprobs", "1")]
    [InlineData("seed", "\"1\"")]
    [InlineData("seed", "99999999999999999999")]
    [InlineData("stop", "5")]
    [InlineData("stop", "\"\"")]
    [InlineData("stop", "[1]")]
    [InlineData("stop_token_ids", "[-1]")]
    [InlineData("stop_token_ids", "[100000]")]
    [InlineData("stop_token_ids", "5")]
    [InlineData("stream", "\"yes\"")]
    [InlineData("stream_options", "[]")]
    [InlineData("ignore_eos", "1")]
    [InlineData("logprobs", "3")]
    [InlineData("prompt_logprobs", "21")]
    [InlineData("return_token_ids", "0")]
    [InlineData("request_id", "5")]
    [InlineData("request_id", "\"\"")]
    [InlineData("priority", "\"high\"")]
    [InlineData("cache_salt", "1")]
    [InlineData("user", "1")]
    [InlineData("metadata", "[]")]
    [InlineData("bad_words", "\"x\"")]
    [InlineData("bad_words_token_ids", "[[]]")]
    [InlineData("chat_template_kwargs", "[]")]
    [InlineData("best_of", "3")]
    [InlineData("prompt_token_ids", "[]")]
    public async Task Chat_FieldOutOfRange_Is400NamingIt(string field, string value)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.PostAsync("/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"hello"}],"{{field}}":{{value}}}""");

        answer.AssertError(HttpStatusCode.BadRequest, field);
        Assert.Empty(server.Engine.Requests);
    }

    [Theory, Trait("Behaviour", "28")]
    [InlineData("\"temperature\":0")]
    [InlineData("\"temperature\":2")]
    [InlineData("\"top_p\":1")]
    [InlineData("\"top_p\":0.0001")]
    [InlineData("\"top_k\":-1")]
    [InlineData("\"min_p\":1")]
    [InlineData("\"presence_penalty\":2,\"frequency_penalty\":-2")]
    [InlineData("\"n\":128")]
    [InlineData("\"max_tokens\":1,\"min_tokens\":1")]
    [InlineData("\"logprobs\":true,\"top_logprobs\":20")]
    [InlineData("\"seed\":-9223372036854775808")]
    [InlineData("\"stop\":null,\"temperature\":null,\"tools\":[],\"tool_choice\":\"none\"")]
    [InlineData("\"response_format\":{\"type\":\"text\"}")]
    [InlineData("\"max_tokens\":5.0,\"best_of\":1")]
    [InlineData("\"never_heard_of\":{\"x\":[1]}")]
    public async Task Chat_FieldAtItsLimit_IsTaken(string fields)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.ChatAsync(fields);

        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
    }

    [Theory, Trait("Behaviour", "28")]
    [InlineData("logprobs", "21")]
    [InlineData("logprobs", "true")]
    [InlineData("echo", "\"yes\"")]
    [InlineData("suffix", "\"end\"")]
    [InlineData("max_tokens", "-1")]
    public async Task Completion_FieldOutOfRange_Is400NamingIt(string field, string value)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.CompleteAsync($"\"{field}\":{value}");

        answer.AssertError(HttpStatusCode.BadRequest, field);
    }

    [Theory]
    [InlineData("tools", "[{\"type\":\"function\"}]")]
    [InlineData("tool_choice", "\"auto\"")]
    [InlineData("tool_choice", "{\"type\":\"function\"}")]
    [InlineData("functions", "[{}]")]
    [InlineData("response_format", "{\"type\":\"json_object\"}")]
    [InlineData("response_format", "{\"type\":\"json_schema\",\"json_schema\":{}}")]
    [InlineData("guided_json", "{}")]
    [InlineData("guided_regex", "\"a+\"")]
    [InlineData("guided_choice", "[\"a\"]")]
    [InlineData("guided_grammar", "\"root\"")]
    public async Task Chat_FieldOfALaterFeature_IsRefusedNotIgnored(string field, string value)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.ChatAsync($"\"{field}\":{value}");

        answer.AssertError(HttpStatusCode.BadRequest, field, "unsupported_parameter");
        Assert.Contains("not supported yet", answer.Json["error"]!["message"]!.GetValue<string>());
    }

    [Theory, Trait("Behaviour", "35")]
    [InlineData("{", null)]
    [InlineData("", null)]
    [InlineData("nonsense", null)]
    [InlineData("[]", null)]
    [InlineData("[{\"messages\":[]}]", null)]
    [InlineData("5", null)]
    [InlineData("null", null)]
    [InlineData("{}", "messages")]
    [InlineData("{\"messages\":[]}", "messages")]
    [InlineData("{\"messages\":null}", "messages")]
    [InlineData("{\"messages\":\"hi\"}", "messages")]
    [InlineData("{\"messages\":{}}", "messages")]
    [InlineData("{\"messages\":[5]}", "messages[0]")]
    [InlineData("{\"messages\":[{\"content\":\"x\"}]}", "messages[0].role")]
    [InlineData("{\"messages\":[{\"role\":\"wizard\",\"content\":\"x\"}]}", "messages[0].role")]
    [InlineData("{\"messages\":[{\"role\":5,\"content\":\"x\"}]}", "messages[0].role")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":5}]}", "messages[0].content")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":{\"a\":1}}]}", "messages[0].content")]
    [InlineData("{\"messages\":[{\"role\":\"user\"}]}", "messages[0].content")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}", "messages[0].content[0].type")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]}", "messages[0].content[0].text")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":[\"x\"]}]}", "messages[0].content[0]")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}", null)]
    [InlineData("{\"messages\":[{\"role\":\"assistant\",\"content\":\"x\"}]}", "messages")]
    public async Task Chat_MalformedBody_Is400(string body, string? parameter)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.PostAsync("/v1/chat/completions", body);

        answer.AssertError(HttpStatusCode.BadRequest, parameter);
    }

    [Fact, Trait("Behaviour", "35")]
    public async Task Chat_DeeplyNestedOrMalformedNames_Is400()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer deep = await server.PostAsync("/v1/chat/completions", string.Concat(Enumerable.Repeat("{\"a\":", 5000)));
        Answer name = await server.PostAsync("/v1/chat/completions", """{"\ud800":1,"messages":[{"role":"user","content":"x","\udc00":2}]}""");
        Answer bytes = await PostBytesAsync(server, [.. "{\"messages\":[{\"role\":\"user\",\"content\":\""u8, 0xFF, 0xFE, .. "\"}]}"u8]);

        deep.AssertError(HttpStatusCode.BadRequest);
        name.AssertError(HttpStatusCode.BadRequest);
        bytes.AssertError(HttpStatusCode.BadRequest);
    }

    [Theory, Trait("Behaviour", "35")]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task Body_OfAnotherContentType_Is415(string contentType)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.PostAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"x"}]}""", contentType);

        answer.AssertError(HttpStatusCode.UnsupportedMediaType);
    }

    [Fact, Trait("Behaviour", "35")]
    public async Task UnknownRoutesAndMethods_HaveTheErrorBody()
    {
        await using TestServer server = await TestServer.StartAsync();

        (await server.GetAsync("/v1/nothing")).AssertError(HttpStatusCode.NotFound);
        (await server.GetAsync("/v1/chat/completions")).AssertError(HttpStatusCode.MethodNotAllowed);
    }

    [Fact, Trait("Behaviour", "35")]
    public async Task Chat_TextPartsAndTemplateArguments_AreTaken()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.PostAsync(
            "/v1/chat/completions",
            """{"messages":[{"role":"developer","content":"a"},{"role":"user","content":[{"type":"text","text":"hel"},{"type":"text","text":"lo"}]}],"chat_template_kwargs":{"suffix":"!"}}""");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.True(server.Engine.Requests.TryDequeue(out GenerationRequest? request));
        Assert.Equal("<s>a\nUser: hello\n!Assistant: ", server.Context.Tokenizer.Decode([.. request.PromptTokens], skipSpecialTokens: false));
    }

    [Fact]
    public async Task Chat_ControlTokensInAMessage_StayText()
    {
        await using TestServer server = await TestServer.StartAsync();

        await server.ChatAsync("\"messages\":[{\"role\":\"user\",\"content\":\"x</s><sep>y\"}]");

        Assert.True(server.Engine.Requests.TryDequeue(out GenerationRequest? request));
        Assert.Equal(1, request.PromptTokens[0]);
        Assert.DoesNotContain(request.PromptTokens, token => token is Fakes.FakeTokenizer.Eos or Fakes.FakeTokenizer.Separator);
    }

    [Fact, Trait("Behaviour", "36")]
    public async Task UnknownModel_Is404()
    {
        await using TestServer server = await TestServer.StartAsync();

        (await server.ChatAsync("\"model\":\"gpt-4\"")).AssertError(HttpStatusCode.NotFound, "model", "model_not_found");
        (await server.CompleteAsync("\"model\":\"gpt-4\"")).AssertError(HttpStatusCode.NotFound, "model", "model_not_found");
        (await server.GetAsync("/v1/models/gpt-4")).AssertError(HttpStatusCode.NotFound, "model", "model_not_found");
        (await server.ChatAsync("\"model\":5")).AssertError(HttpStatusCode.BadRequest, "model");
        Assert.Equal(HttpStatusCode.OK, (await server.ChatAsync("\"model\":\"fake-model\"")).Status);
    }

    [Fact, Trait("Behaviour", "36")]
    public async Task ServedModelNames_AreAllKnown()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ServedModelNames = ["ernie", "baidu/ernie"] });

        Answer list = await server.GetAsync("/v1/models");
        Answer one = await server.GetAsync("/v1/models/baidu/ernie");
        Answer chat = await server.ChatAsync("\"model\":\"baidu/ernie\"");
        Answer own = await server.ChatAsync("\"model\":\"fake-model\"");

        Assert.Equal(["ernie", "baidu/ernie"], list.Json["data"]!.AsArray().Select(card => card!["id"]!.GetValue<string>()));
        Assert.Equal("baidu/ernie", one.Json["id"]!.GetValue<string>());
        Assert.Equal("baidu/ernie", chat.Json["model"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.NotFound, own.Status);
    }

    [Fact, Trait("Behaviour", "37")]
    public async Task Prompt_TooLong_Is400WithBothNumbers()
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.MaxModelLength = 10);
        string Ids(int count) => $"\"prompt\":[{string.Join(',', Enumerable.Repeat("260", count))}]";

        Answer fits = await server.CompleteAsync(Ids(9));
        Answer tooLong = await server.CompleteAsync(Ids(10));
        Answer chat = await server.ChatAsync("\"messages\":[{\"role\":\"user\",\"content\":\"a very long message\"}]");

        Assert.Equal(HttpStatusCode.OK, fits.Status);
        tooLong.AssertError(HttpStatusCode.BadRequest, "prompt", "context_length_exceeded");
        string message = tooLong.Json["error"]!["message"]!.GetValue<string>();
        Assert.Contains("10 tokens, but the prompt has 10 tokens", message);
        chat.AssertError(HttpStatusCode.BadRequest, "messages", "context_length_exceeded");
    }

    [Theory, Trait("Behaviour", "38")]
    [InlineData("\"\"")]
    [InlineData("[]")]
    [InlineData("[\"\"]")]
    [InlineData("[[]]")]
    [InlineData("[\"hello\",\"\"]")]
    [InlineData("[-1]")]
    [InlineData("[5,100000]")]
    [InlineData("[[5],[280]]")]
    [InlineData("[1.5]")]
    [InlineData("[true]")]
    [InlineData("5")]
    [InlineData("{}")]
    public async Task Prompt_EmptyOrOutOfVocabulary_Is400(string prompt)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.CompleteAsync($"\"prompt\":{prompt}");

        answer.AssertError(HttpStatusCode.BadRequest, "prompt");
    }

    [Fact, Trait("Behaviour", "38")]
    public async Task Prompt_Missing_Is400AndTheLargestIdIsTaken()
    {
        await using TestServer server = await TestServer.StartAsync();

        (await server.CompleteAsync("\"prompt\":null")).AssertError(HttpStatusCode.BadRequest, "prompt");
        Assert.Equal(HttpStatusCode.OK, (await server.CompleteAsync("\"prompt\":[279]")).Status);
    }

    [Fact]
    public async Task UnexpectedFailure_Is500WithoutItsText()
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.Script = _ => throw new InvalidOperationException("secret"));

        Answer answer = await server.ChatAsync("");

        answer.AssertError(HttpStatusCode.InternalServerError);
        Assert.DoesNotContain("secret", answer.Text);
    }

    [Fact]
    public async Task Chat_ModelWithoutTemplate_Is400()
    {
        await using TestServer server = await TestServer.StartAsync(host: host => host with { ChatTemplate = null });

        (await server.ChatAsync("")).AssertError(HttpStatusCode.BadRequest, "messages");
    }

    private static async Task<Answer> PostBytesAsync(TestServer server, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        using HttpResponseMessage response = await server.Client.PostAsync("/v1/chat/completions", content);
        return await Answer.ReadAsync(response);
    }
}
