using System.Net;
using System.Text.Json.Nodes;
using Ernie.Server.Tests.Fakes;

namespace Ernie.Server.Tests.Behaviours;

public sealed class TextTests
{
    [Fact, Trait("Behaviour", "11")]
    public async Task Stream_CharacterSplitOverTokens_NeverShowsReplacements()
    {
        await using TestServer server = await Scripted([.. FakeTokenizer.Bytes("你好, 🐉!"), FakeTokenizer.Eos]);

        SseStream stream = await server.StreamChatAsync("");

        Assert.DoesNotContain(stream.Choices(), choice => choice["delta"]!["content"]?.GetValue<string>().Contains('\uFFFD') == true);
        Assert.Equal("你好, 🐉!", stream.ChatText());
    }

    [Fact, Trait("Behaviour", "12")]
    public async Task Text_InvalidTail_IsFlushedOnce()
    {
        await using TestServer server = await Scripted([FakeTokenizer.Word("hello"), .. FakeTokenizer.Bytes("你")[..2], FakeTokenizer.Eos]);

        SseStream stream = await server.StreamChatAsync("");
        Answer plain = await server.ChatAsync("");

        Assert.Equal("hello\uFFFD", stream.ChatText());
        Assert.Equal("hello\uFFFD", plain.Content);
        Assert.Single(stream.Choices(), choice => choice["delta"]!["content"]?.GetValue<string>().Contains('\uFFFD') == true);
    }

    public static TheoryData<int[], string, string> Stops => new()
    {
        { [FakeTokenizer.Word("hello"), FakeTokenizer.Word("STOP"), FakeTokenizer.Word(" king")], """["STOP"]""", "hello" },
        { [FakeTokenizer.Word("hello"), FakeTokenizer.Word("ST"), FakeTokenizer.Word("OP"), FakeTokenizer.Word(" king")], """["STOP"]""", "hello" },
        { [FakeTokenizer.Word("hello"), FakeTokenizer.Word(" the")], """["lo"]""", "hel" },
        { [FakeTokenizer.Word("STOP"), FakeTokenizer.Word(" the")], """["STOP"]""", "" },
        { [FakeTokenizer.Word("ST"), FakeTokenizer.Word("ST"), FakeTokenizer.Word("OP")], """["STOP"]""", "ST" },
        { [FakeTokenizer.Word("aa"), FakeTokenizer.Word("ab"), FakeTokenizer.Word("abc")], """["aaab"]""", "" },
        { [FakeTokenizer.Word("aa"), FakeTokenizer.Word("aa"), FakeTokenizer.Word("ab")], """["aab","zz"]""", "aaa" },
        { [FakeTokenizer.Word(" the"), .. FakeTokenizer.Bytes("你好"), FakeTokenizer.Word(" END")], """["你好"]""", " the" },
        { [FakeTokenizer.Word(" the"), FakeTokenizer.Word(" king"), FakeTokenizer.Word(" queen")], """["king queen"]""", " the " },
    };

    [Theory, Trait("Behaviour", "13"), MemberData(nameof(Stops))]
    public async Task StopString_WhereverItStands_LeaksNothing(int[] tokens, string stop, string expected)
    {
        await using TestServer server = await Scripted([.. tokens, FakeTokenizer.Eos]);

        Answer plain = await server.ChatAsync($"\"stop\":{stop}");
        SseStream stream = await server.StreamChatAsync($"\"stop\":{stop}");

        Assert.Equal(expected, plain.Content);
        Assert.Equal(expected, stream.ChatText());
        Assert.Equal("stop", plain.Choice()["finish_reason"]!.GetValue<string>());
    }

    [Fact, Trait("Behaviour", "13")]
    public async Task StopString_Found_EndsTheSequenceInTheEngine()
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.Script = _ => Enumerable.Repeat(FakeTokenizer.Word(" king"), 100_000));

        await server.ChatAsync("\"stop\":\"king king\"");

        Assert.Equal(0, server.Engine.Active);
        Assert.Equal(1, server.Engine.Cancelled);
    }

    [Theory, Trait("Behaviour", "14")]
    [InlineData("\"stop\":\"STOP\"", "hello", "\"STOP\"")]
    [InlineData("\"stop\":\"STOP\",\"include_stop_str_in_output\":true", "helloSTOP", "\"STOP\"")]
    [InlineData("\"stop\":\"TO\",\"include_stop_str_in_output\":true", "helloSTO", "\"TO\"")]
    [InlineData("\"stop_token_ids\":[272]", "hello", "272")]
    [InlineData("\"stop_token_ids\":[272],\"include_stop_str_in_output\":true", "helloSTOP", "272")]
    public async Task Stop_Included_AsAskedForAndReported(string fields, string expected, string reason)
    {
        await using TestServer server = await Scripted([FakeTokenizer.Word("hello"), FakeTokenizer.Word("STOP"), FakeTokenizer.Word(" king"), FakeTokenizer.Eos]);

        Answer plain = await server.ChatAsync(fields);
        SseStream stream = await server.StreamChatAsync(fields);

        Assert.Equal(expected, plain.Content);
        Assert.Equal(reason, plain.Choice()["stop_reason"]!.ToJsonString());
        Assert.Equal(expected, stream.ChatText());
        Assert.Equal(reason, stream.Choices().Last()["stop_reason"]!.ToJsonString());
    }

    [Theory, Trait("Behaviour", "15")]
    [InlineData("")]
    [InlineData("\"max_tokens\":2")]
    public async Task HeldBackText_WithoutAMatch_IsReleasedAtTheEnd(string fields)
    {
        await using TestServer server = await Scripted([FakeTokenizer.Word("hello"), FakeTokenizer.Word("ST"), FakeTokenizer.Eos]);

        string request = string.Join(',', new[] { fields, "\"stop\":\"STOP\"" }.Where(part => part.Length > 0));

        Answer plain = await server.ChatAsync(request);
        SseStream stream = await server.StreamChatAsync(request);

        Assert.Equal("helloST", plain.Content);
        Assert.Equal("helloST", stream.ChatText());
        Assert.Null(plain.Choice()["stop_reason"]);
    }

    [Fact, Trait("Behaviour", "16")]
    public async Task StopStrings_UpToSixteen_AreTaken()
    {
        await using TestServer server = await TestServer.StartAsync();
        static string List(int count) => $"\"stop\":[{string.Join(',', Enumerable.Range(0, count).Select(index => $"\"s{index}\""))}]";

        Answer sixteen = await server.ChatAsync(List(16));
        Answer seventeen = await server.ChatAsync(List(17));
        Answer empty = await server.ChatAsync("\"stop\":[\"a\",\"\"]");

        Assert.Equal(HttpStatusCode.OK, sixteen.Status);
        seventeen.AssertError(HttpStatusCode.BadRequest, "stop");
        empty.AssertError(HttpStatusCode.BadRequest, "stop");
    }

    [Fact, Trait("Behaviour", "17")]
    public async Task MinTokens_HoldsOffStopStringsStopIdsAndEos()
    {
        int king = FakeTokenizer.Word(" king");
        int queen = FakeTokenizer.Word(" queen");
        await using TestServer server = await TestServer.StartAsync(engine => engine.Script = request => request.StopTokens.Count > 0
            ? [king, queen, king, king, queen, FakeTokenizer.Eos]
            : [king, king, FakeTokenizer.Eos, king, king, FakeTokenizer.Eos]);

        Answer strings = await server.ChatAsync("\"stop\":\" king\",\"min_tokens\":3");
        Answer ids = await server.ChatAsync($"\"stop_token_ids\":[{FakeTokenizer.Word(" queen")}],\"min_tokens\":3");
        Answer eos = await server.ChatAsync("\"min_tokens\":4");
        Answer without = await server.ChatAsync("");

        Assert.Equal(" king king king", strings.Content);
        Assert.Equal("\" king\"", strings.Choice()["stop_reason"]!.ToJsonString());
        Assert.Equal(" king king king", ids.Content);
        Assert.Equal($"{queen}", ids.Choice()["stop_reason"]!.ToJsonString());
        Assert.Equal(" king king king king", eos.Content);
        Assert.Equal(" king king", without.Content);
    }

    [Fact, Trait("Behaviour", "17")]
    public async Task IgnoreEos_GoesOnPastEndTokens()
    {
        int king = FakeTokenizer.Word(" king");
        await using TestServer server = await Scripted([king, FakeTokenizer.Eos, king, FakeTokenizer.Eos, king]);

        Answer answer = await server.ChatAsync("\"ignore_eos\":true,\"max_tokens\":5");

        Assert.Equal(" king king king", answer.Content);
        Assert.Equal("length", answer.Choice()["finish_reason"]!.GetValue<string>());
        Assert.Equal(5, answer.Json["usage"]!["completion_tokens"]!.GetValue<int>());
    }

    [Fact, Trait("Behaviour", "18")]
    public async Task Echo_PutsThePromptFirst()
    {
        await using TestServer server = await Scripted([FakeTokenizer.Word(" world"), FakeTokenizer.Eos]);

        Answer plain = await server.CompleteAsync("\"echo\":true");
        Answer fromIds = await server.CompleteAsync($"\"echo\":true,\"prompt\":[{FakeTokenizer.Word("hello")},{FakeTokenizer.Word(" king")}]");
        Answer evaluated = await server.CompleteAsync("\"echo\":true,\"max_tokens\":0,\"logprobs\":1");
        SseStream stream = await server.StreamCompleteAsync("\"echo\":true");

        Assert.Equal("hello world", plain.FirstText);
        Assert.Equal("hello king world", fromIds.FirstText);
        Assert.Equal("hello", evaluated.FirstText);
        Assert.Equal("length", evaluated.Choice()["finish_reason"]!.GetValue<string>());
        Assert.Equal(0, evaluated.Json["usage"]!["completion_tokens"]!.GetValue<int>());
        Assert.Single(evaluated.Choice()["logprobs"]!["tokens"]!.AsArray());
        Assert.Equal("hello world", stream.Text());
    }

    [Fact, Trait("Behaviour", "19")]
    public async Task Text_LeadingSpace_IsKept()
    {
        await using TestServer server = await Scripted([FakeTokenizer.Word(" king"), FakeTokenizer.Eos]);

        Answer plain = await server.ChatAsync("");
        SseStream stream = await server.StreamChatAsync("");

        Assert.Equal(" king", plain.Content);
        Assert.Equal(" king", stream.ChatText());
    }

    [Fact]
    public async Task SpecialTokens_Shown_OnlyWhenAskedFor()
    {
        await using TestServer server = await Scripted([FakeTokenizer.Word("hello"), 1, FakeTokenizer.Eos]);

        Answer skipped = await server.ChatAsync("");
        Answer shown = await server.ChatAsync("\"skip_special_tokens\":false");

        Assert.Equal("hello", skipped.Content);
        Assert.Equal("hello<s>", shown.Content);
    }

    [Fact]
    public async Task ReturnTokenIds_AreThePromptsAndTheGenerated()
    {
        int[] tokens = [FakeTokenizer.Word("hello"), FakeTokenizer.Word(" king"), FakeTokenizer.Eos];
        await using TestServer server = await Scripted(tokens);

        Answer plain = await server.CompleteAsync("\"prompt\":[260,261],\"return_token_ids\":true");
        SseStream stream = await server.StreamCompleteAsync("\"prompt\":[260,261],\"return_token_ids\":true");

        Assert.Equal("[260,261]", plain.Choice()["prompt_token_ids"]!.ToJsonString());
        Assert.Equal(tokens, Ids(plain.Choice()["token_ids"]!));
        Assert.Equal("[260,261]", stream.Choices().First()["prompt_token_ids"]!.ToJsonString());
        Assert.Equal(tokens, stream.Choices().Where(choice => choice["token_ids"] is not null).SelectMany(choice => Ids(choice["token_ids"]!)));
    }

    private static IEnumerable<int> Ids(JsonNode array) => array.AsArray().Select(id => id!.GetValue<int>());

    private static Task<TestServer> Scripted(int[] tokens) => TestServer.StartAsync(engine => engine.Script = _ => tokens);
}
