using System.Net;
using System.Text.Json.Nodes;
using Ernie.Server.Tests.Fakes;
using Ernie.Tokenization;

namespace Ernie.Server.Tests.Fields;

/// <summary>The fields that shape a prompt have their effect.</summary>
public sealed class PromptFieldTests
{
    private const string TwoTurns = "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"},{\"role\":\"assistant\",\"content\":\"Once upon\"}]";

    [Theory]
    [InlineData("\"truncate_prompt_tokens\":2", "[262,263]")]
    [InlineData("\"truncate_prompt_tokens\":2,\"truncation_side\":\"left\"", "[262,263]")]
    [InlineData("\"truncate_prompt_tokens\":2,\"truncation_side\":\"right\"", "[260,261]")]
    [InlineData("\"truncate_prompt_tokens\":4", "[260,261,262,263]")]
    [InlineData("\"truncate_prompt_tokens\":9", "[260,261,262,263]")]
    public async Task Truncation_KeepsAnEndOfThePrompt(string fields, string kept)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.CompleteAsync($"\"prompt\":\" the king queenOnce\",\"return_token_ids\":true,{fields}");

        Assert.Equal(kept, answer.Choice()["prompt_token_ids"]!.ToJsonString());
    }

    [Fact]
    public async Task Truncation_MinusOne_LeavesRoomForTheAnswer()
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.MaxModelLength = 10);
        string prompt = $"\"prompt\":[{string.Join(',', Enumerable.Repeat(5, 50))}]";

        Answer answer = await server.CompleteAsync($"{prompt},\"truncate_prompt_tokens\":-1,\"max_tokens\":3");
        Answer tooLong = await server.CompleteAsync(prompt);

        Assert.Equal(7, answer.Json["usage"]!["prompt_tokens"]!.GetValue<int>());
        tooLong.AssertError(HttpStatusCode.BadRequest, "prompt", "context_length_exceeded");
    }

    [Fact]
    public async Task Truncation_OfAnEchoedPrompt_EchoesWhatIsKept()
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.Script = _ => [FakeTokenizer.Eos]);

        Answer answer = await server.CompleteAsync("\"prompt\":\" king queen\",\"truncate_prompt_tokens\":1,\"echo\":true");

        Assert.Equal(" queen", answer.FirstText);
    }

    [Theory]
    [InlineData("add_special_tokens")]
    [InlineData("parse_special")]
    public async Task SpelledControlTokens_AreIdsOnlyWhereTheRequestSaysSo(string field)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer text = await server.CompleteAsync("\"prompt\":\"hello</s>\",\"return_token_ids\":true");
        Answer off = await server.CompleteAsync($"\"prompt\":\"hello</s>\",\"return_token_ids\":true,\"{field}\":false");
        Answer ids = await server.CompleteAsync($"\"prompt\":\"hello</s>\",\"return_token_ids\":true,\"{field}\":true");
        Answer tokenized = await server.PostAsync("/tokenize", $$"""{"prompt":"hello</s>","{{field}}":true}""");
        Answer chat = await server.ChatAsync($"\"messages\":[{{\"role\":\"user\",\"content\":\"</s>\"}}],\"return_token_ids\":true,\"{field}\":true");

        Assert.DoesNotContain($"{FakeTokenizer.Eos}", Ids(text));
        Assert.Equal(Ids(text), Ids(off));
        Assert.Equal([$"{FakeTokenizer.Word("hello")}", $"{FakeTokenizer.Eos}"], Ids(ids));
        Assert.Equal($"[{FakeTokenizer.Word("hello")},{FakeTokenizer.Eos}]", tokenized.Json["tokens"]!.ToJsonString());
        // What users write into a chat never becomes a control token.
        Assert.DoesNotContain(chat.Json["prompt_token_ids"]!.AsArray(), id => id!.GetValue<int>() == FakeTokenizer.Eos);
    }

    [Fact]
    public async Task ContinueFinalMessage_EndsThePromptWithItsContent()
    {
        await using TestServer server = await TestServer.StartAsync();

        string continued = await PromptAsync(server, $"{TwoTurns},\"continue_final_message\":true");
        string explicitly = await PromptAsync(server, $"{TwoTurns},\"continue_final_message\":true,\"add_generation_prompt\":false");
        string begun = await PromptAsync(server, TwoTurns);
        Answer both = await server.ChatAsync($"{TwoTurns},\"continue_final_message\":true,\"add_generation_prompt\":true");
        Answer empty = await server.ChatAsync("\"messages\":[{\"role\":\"user\",\"content\":\"\"}],\"continue_final_message\":true");

        Assert.Equal("<s>User: hello\nAssistant: Once upon", continued);
        Assert.Equal(continued, explicitly);
        Assert.Equal("<s>User: hello\nAssistant: Once upon<sep>Assistant: ", begun);
        both.AssertError(HttpStatusCode.BadRequest, "continue_final_message");
        empty.AssertError(HttpStatusCode.BadRequest, "continue_final_message");
    }

    [Theory]
    [InlineData("{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}!{% endfor %}?", "[user]hello![assistant]Once upon")]
    [InlineData("{% for m in messages %}{{ m.role }}{{ m.content }}{{ m.role }}!{% endfor %}", "userhellouser!assistantOnce upon")]
    public async Task ContinueFinalMessage_FindsTheContentWhateverTheTemplateDoes(string template, string expected)
    {
        await using TestServer server = await TestServer.StartAsync(host: host => host with { ChatTemplate = new ChatTemplate(template) });
        string turns = TwoTurns.Replace("Once upon", template.Contains("trim", StringComparison.Ordinal) ? "  Once upon " : "Once upon", StringComparison.Ordinal);

        Assert.Equal(expected, await PromptAsync(server, $"{turns},\"continue_final_message\":true"));
    }

    [Fact]
    public async Task AddGenerationPrompt_False_LeavesItOutAndTheLastRoleGoesOn()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.ChatAsync("\"add_generation_prompt\":false");

        Assert.Equal("user", answer.Choice()["message"]!["role"]!.GetValue<string>());
        Assert.Equal("<s>User: hello\n", await PromptAsync(server, "\"add_generation_prompt\":false"));
    }

    [Fact]
    public async Task Echo_InAChat_PrependsTheLastMessageOfTheSameRole()
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.Script = _ => [FakeTokenizer.Word(" time"), FakeTokenizer.Eos]);

        Answer continued = await server.ChatAsync($"{TwoTurns},\"continue_final_message\":true,\"echo\":true");
        SseStream stream = await server.StreamChatAsync($"{TwoTurns},\"continue_final_message\":true,\"echo\":true");
        Answer answered = await server.ChatAsync("\"echo\":true");

        Assert.Equal("Once upon time", continued.Content);
        Assert.Equal("Once upon time", string.Concat(stream.Choices().Select(choice => choice["delta"]?["content"]?.GetValue<string>())));
        Assert.Equal(" time", answered.Content);
    }

    [Fact]
    public async Task DisableChatTemplate_TakesTheFirstMessageAsItIs()
    {
        await using TestServer server = await TestServer.StartAsync(host: host => host with { ChatTemplate = null });

        Assert.Equal("hello", await PromptAsync(server, "\"disable_chat_template\":true"));
    }

    [Fact]
    public async Task TemplateVariables_ReachTheTemplate()
    {
        var template = new ChatTemplate("{{ enable_thinking }} {{ reasoning_effort }} {{ documents[0].text if documents }} {{ extra }}");
        await using TestServer server = await TestServer.StartAsync(host: host => host with { ChatTemplate = template });

        Assert.Equal("True high page ", await PromptAsync(server, "\"reasoning_effort\":\"high\",\"documents\":[{\"text\":\"page\"}]"));
        Assert.Equal("False high  ", await PromptAsync(server, "\"reasoning_effort\":\"high\",\"enable_thinking\":false"));
        Assert.Equal("False   ", await PromptAsync(server, "\"metadata\":{\"enable_thinking\":false}"));
        Assert.Equal("True   7", await PromptAsync(server, "\"enable_thinking\":false,\"chat_template_kwargs\":{\"enable_thinking\":true,\"extra\":7}"));
        Assert.Equal("False none  ", await PromptAsync(server, "\"reasoning_effort\":\"none\""));
    }

    [Fact]
    public async Task ChatTemplate_OfARequest_IsTakenOnlyWhereTheServerTrustsIt()
    {
        var own = new ChatTemplate("{{ cls_token }}{{ messages[0].content }}", new Dictionary<string, string> { ["cls_token"] = "<s>" });
        await using TestServer trusting = await TestServer.StartAsync(options: options => options with { TrustRequestChatTemplate = true }, host: host => host with { ChatTemplate = own });
        await using TestServer other = await TestServer.StartAsync();
        const string Field = "\"chat_template\":\"{{ cls_token }}[{{ messages[0].content }}]\"";

        string prompt = await PromptAsync(trusting, Field);
        Answer refused = await other.ChatAsync(Field);
        Answer malformed = await trusting.ChatAsync("\"chat_template\":\"{% if %}\"");
        Answer endless = await trusting.ChatAsync("\"chat_template\":\"{% for a in range(9999999) %}{% for b in range(9999999) %}{% endfor %}{% endfor %}\"");
        Answer tokenized = await trusting.PostAsync("/tokenize", $$"""{"messages":[{"role":"user","content":"hello"}],{{Field}}}""");

        Assert.Equal("<s>[hello]", prompt);
        refused.AssertError(HttpStatusCode.BadRequest, "chat_template", "unsupported_parameter");
        Assert.Contains("--trust-request-chat-template", refused.Text);
        malformed.AssertError(HttpStatusCode.BadRequest, "chat_template");
        endless.AssertError(HttpStatusCode.BadRequest);
        Assert.Equal(4, tokenized.Json["count"]!.GetValue<int>());
    }

    [Fact]
    public async Task AssistantPart_OfTypeRefusal_IsText()
    {
        await using TestServer server = await TestServer.StartAsync();
        const string Turns = "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"},{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"refusal\",\"refusal\":\"b\"}]}]";

        Assert.Equal("<s>User: hello\nAssistant: ab<sep>Assistant: ", await PromptAsync(server, Turns));
        Assert.Equal(
            "<s>User: hello\nAssistant: no<sep>Assistant: ",
            await PromptAsync(server, "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"},{\"role\":\"assistant\",\"content\":null,\"refusal\":\"no\"}]"));
        (await server.ChatAsync("\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"b\"}]}]"))
            .AssertError(HttpStatusCode.BadRequest, "messages[0].content[0].type");
    }

    [Fact]
    public async Task Tokenize_TakesTheFieldsOfAChat()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer chat = await server.ChatAsync($"{TwoTurns},\"continue_final_message\":true,\"temperature\":0.5,\"return_token_ids\":true");
        Answer tokenized = await server.PostAsync("/tokenize", $$"""{{{TwoTurns}},"continue_final_message":true,"temperature":0.5}""");
        Answer wrong = await server.PostAsync("/tokenize", $$"""{{{TwoTurns}},"temperature":"hot"}""");

        Assert.Equal(chat.Json["prompt_token_ids"]!.ToJsonString(), tokenized.Json["tokens"]!.ToJsonString());
        wrong.AssertError(HttpStatusCode.BadRequest, "temperature");
    }

    /// <summary>The prompt of a chat as text.</summary>
    private static async Task<string> PromptAsync(TestServer server, string fields)
    {
        Answer answer = await server.ChatAsync($"{fields},\"return_token_ids\":true");
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return new FakeTokenizer().Decode([.. answer.Json["prompt_token_ids"]!.AsArray().Select(id => id!.GetValue<int>())], skipSpecialTokens: false);
    }

    private static IEnumerable<string> Ids(Answer answer) => answer.Choice()["prompt_token_ids"]!.AsArray().Select((JsonNode? id) => id!.ToJsonString());
}
