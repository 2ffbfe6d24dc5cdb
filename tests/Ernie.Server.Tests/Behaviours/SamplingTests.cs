using System.Net;
using System.Text.Json.Nodes;
using Ernie.Generation;
using Ernie.Server.Tests.Fakes;

namespace Ernie.Server.Tests.Behaviours;

public sealed class SamplingTests
{
    [Fact, Trait("Behaviour", "21")]
    public async Task Seed_OfOneRequest_GivesEachChoiceItsOwnStream()
    {
        await using TestServer server = await TestServer.StartAsync();

        await server.ChatAsync("\"n\":4,\"seed\":42");

        GenerationRequest[] requests = [.. server.Engine.Requests.OrderBy(request => request.ChoiceIndex)];
        Assert.Equal([0, 1, 2, 3], requests.Select(request => request.ChoiceIndex));
        Assert.All(requests, request => Assert.Equal(42UL, request.Sampling.Seed));
    }

    [Fact]
    public async Task Group_OfOneRequest_IsSharedByItsChoicesAndPromptsAlone()
    {
        await using TestServer server = await TestServer.StartAsync();

        await server.CompleteAsync("\"prompt\":[\" king\",\" queen\"],\"n\":2");
        await server.ChatAsync("\"n\":2");

        GenerationRequest[] requests = [.. server.Engine.Requests];
        Assert.Equal(6, requests.Length);
        Assert.All(requests, request => Assert.NotNull(request.Group));
        Assert.Equal([2, 4], requests.GroupBy(request => request.Group, ReferenceEqualityComparer.Instance).Select(group => group.Count()).Order());
    }

    [Fact, Trait("Behaviour", "23")]
    public async Task Prompts_TimesN_AreOrderedPromptFirst()
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.Script =
            request => [request.PromptTokens[0], FakeTokenizer.Bytes("0")[0] + request.ChoiceIndex, FakeTokenizer.Eos]);

        Answer answer = await server.CompleteAsync("\"prompt\":[\" king\",\" queen\",\"hello\"],\"n\":2");
        SseStream stream = await server.StreamCompleteAsync("\"prompt\":[\" king\",\" queen\",\"hello\"],\"n\":2");

        string[] expected = [" king0", " king1", " queen0", " queen1", "hello0", "hello1"];
        Assert.Equal(expected, answer.Json["choices"]!.AsArray().Select(choice => choice!["text"]!.GetValue<string>()));
        Assert.Equal(Enumerable.Range(0, 6), answer.Json["choices"]!.AsArray().Select(choice => choice!["index"]!.GetValue<int>()));
        Assert.Equal(expected, Enumerable.Range(0, 6).Select(stream.Text));
        Assert.Equal(3, answer.Json["usage"]!["prompt_tokens"]!.GetValue<int>());
    }

    [Theory, Trait("Behaviour", "23")]
    [InlineData("[260,261]", 1)]
    [InlineData("[[260,261],[262]]", 2)]
    [InlineData("[\"hello\",[262]]", 2)]
    public async Task Prompt_AsIds_IsTakenAsItIs(string prompt, int choices)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.CompleteAsync($"\"prompt\":{prompt}");

        Assert.Equal(choices, answer.Json["choices"]!.AsArray().Count);
        Assert.Contains(server.Engine.Requests, request => request.PromptTokens.SequenceEqual([260, 261]) || request.PromptTokens.SequenceEqual([262]));
    }

    [Fact, Trait("Behaviour", "24")]
    public async Task LogitBias_ReachesTheSamplerAndBadIdsAre400()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer good = await server.ChatAsync("\"logit_bias\":{\"261\":-100,\"262\":100}");

        Assert.Equal(HttpStatusCode.OK, good.Status);
        Assert.True(server.Engine.Requests.TryDequeue(out GenerationRequest? request));
        Assert.Equal(-100f, request.Sampling.LogitBias![261]);
        Assert.Equal(100f, request.Sampling.LogitBias[262]);
        foreach (string bias in (string[])["{\"999999\":1}", "{\"-1\":1}", "{\"x\":1}", "{\"5\":101}", "{\"5\":-100.5}", "{\"5\":\"1\"}", "[1]"])
            (await server.ChatAsync($"\"logit_bias\":{bias}")).AssertError(HttpStatusCode.BadRequest, "logit_bias");
    }

    [Fact, Trait("Behaviour", "25")]
    public async Task ChatLogprobs_DescribeEveryTokenOfTheText()
    {
        int[] tokens = [FakeTokenizer.Word("hello"), .. FakeTokenizer.Bytes("好"), FakeTokenizer.Word(" king"), FakeTokenizer.Eos];
        await using TestServer server = await TestServer.StartAsync(engine => engine.Script = _ => tokens);

        Answer plain = await server.ChatAsync("\"logprobs\":true,\"top_logprobs\":3");
        SseStream stream = await server.StreamChatAsync("\"logprobs\":true,\"top_logprobs\":3");

        JsonNode[] entries = [.. plain.Choice()["logprobs"]!["content"]!.AsArray().Select(entry => entry!)];
        Assert.Equal(5, entries.Length);
        Assert.All(entries, entry =>
        {
            Assert.True(entry["logprob"]!.GetValue<float>() <= 0);
            Assert.Equal(3, entry["top_logprobs"]!.AsArray().Count);
        });
        byte[] bytes = [.. entries.SelectMany(entry => entry["bytes"]!.AsArray()).Select(value => (byte)value!.GetValue<int>())];
        Assert.Equal(plain.Content, System.Text.Encoding.UTF8.GetString(bytes));
        Assert.Equal("hello", entries[0]["token"]!.GetValue<string>());
        string[] streamed = [.. stream.Choices().Where(choice => choice["logprobs"] is not null)
            .SelectMany(choice => choice["logprobs"]!["content"]!.AsArray()).Select(entry => entry!.ToJsonString())];
        Assert.Equal(entries.Select(entry => entry.ToJsonString()), streamed);
    }

    [Fact, Trait("Behaviour", "25")]
    public async Task ChatLogprobs_StopString_LeavesOutWhatWasCut()
    {
        int[] tokens = [FakeTokenizer.Word("hello"), FakeTokenizer.Word("ST"), FakeTokenizer.Word("OP"), FakeTokenizer.Eos];
        await using TestServer server = await TestServer.StartAsync(engine => engine.Script = _ => tokens);

        Answer plain = await server.ChatAsync("\"logprobs\":true,\"stop\":\"STOP\"");

        JsonNode only = Assert.Single(plain.Choice()["logprobs"]!["content"]!.AsArray())!;
        Assert.Equal("hello", only["token"]!.GetValue<string>());
        Assert.Empty(only["top_logprobs"]!.AsArray());
    }

    [Fact, Trait("Behaviour", "25")]
    public async Task ChatLogprobs_NotAskedFor_AreANullKey()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.ChatAsync("");

        Assert.True(answer.Choice().AsObject().ContainsKey("logprobs"));
        Assert.Null(answer.Choice()["logprobs"]);
        Assert.True(answer.Choice()["message"]!.AsObject().ContainsKey("refusal"));
    }

    [Fact, Trait("Behaviour", "26")]
    public async Task CompletionLogprobs_HaveTokensAndOffsets()
    {
        int[] tokens = [FakeTokenizer.Word("你好"), FakeTokenizer.Word(" king"), .. FakeTokenizer.Bytes("🐉"), FakeTokenizer.Word(" END"), FakeTokenizer.Eos];
        await using TestServer server = await TestServer.StartAsync(engine => engine.Script = _ => tokens);

        Answer plain = await server.CompleteAsync("\"logprobs\":2");
        Answer echo = await server.CompleteAsync("\"logprobs\":2,\"echo\":true,\"prompt\":\"hello king\"");

        JsonNode logprobs = plain.Choice()["logprobs"]!;
        Assert.Equal("你好 king🐉 END", plain.FirstText);
        Assert.Equal("[0,2,7,7,7,7,8]", logprobs["text_offset"]!.ToJsonString());
        Assert.Equal("你好", logprobs["tokens"]![0]!.GetValue<string>());
        Assert.Equal("bytes:\\xf0", logprobs["tokens"]![2]!.GetValue<string>());
        Assert.Equal(7, logprobs["token_logprobs"]!.AsArray().Count);
        Assert.Equal(2, logprobs["top_logprobs"]![0]!.AsObject().Count);
        JsonNode echoed = echo.Choice()["logprobs"]!;
        Assert.Equal("[0,5,10,12,17,17,17,17,18]", echoed["text_offset"]!.ToJsonString());
        Assert.Null(echoed["token_logprobs"]![0]);
        Assert.NotNull(echoed["token_logprobs"]![1]);
    }

    [Fact, Trait("Behaviour", "27")]
    public async Task PromptLogprobs_StartWithNull()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer text = await server.CompleteAsync("\"prompt\":\"hello king queen\",\"prompt_logprobs\":2");
        Answer chat = await server.ChatAsync("\"prompt_logprobs\":0");
        Answer stream = await server.ChatAsync("\"prompt_logprobs\":0,\"stream\":true");

        JsonArray entries = text.Choice()["prompt_logprobs"]!.AsArray();
        Assert.Equal(3, entries.Count);
        Assert.Null(entries[0]);
        Assert.Equal(2, entries[1]!.AsObject().Count);
        JsonNode king = entries[1]![$"{FakeTokenizer.Word(" king")}"]!;
        Assert.Equal(" king", king["decoded_token"]!.GetValue<string>());
        Assert.Equal(1, king["rank"]!.GetValue<int>());
        Assert.Null(chat.Json["prompt_logprobs"]![0]);
        stream.AssertError(HttpStatusCode.BadRequest, "prompt_logprobs");
    }

    [Fact]
    public async Task Defaults_ComeFromTheModelsGenerationConfig()
    {
        await using TestServer server = await TestServer.StartAsync(host: host => host with { Defaults = host.Defaults with { MinP = 0.07f, TopK = 30 } });

        await server.ChatAsync("");
        await server.ChatAsync("\"temperature\":0,\"top_p\":0.5,\"top_k\":7,\"min_p\":0.1,\"repetition_penalty\":1.2,\"presence_penalty\":0.5,\"frequency_penalty\":-0.5");

        GenerationRequest[] requests = [.. server.Engine.Requests];
        Assert.Equal(0.8f, requests[0].Sampling.Temperature);
        Assert.Equal(0.8f, requests[0].Sampling.TopP);
        Assert.Equal((0.07f, 30), (requests[0].Sampling.MinP, requests[0].Sampling.TopK));
        Assert.Null(requests[0].Sampling.Seed);
        Assert.True(requests[1].Sampling.IsGreedy);
        Assert.Equal((0.5f, 7, 0.1f, 1.2f), (requests[1].Sampling.TopP, requests[1].Sampling.TopK, requests[1].Sampling.MinP, requests[1].Sampling.RepetitionPenalty));
        Assert.Equal((0.5f, -0.5f), (requests[1].Sampling.PresencePenalty, requests[1].Sampling.FrequencyPenalty));
    }

    [Fact]
    public async Task MaxTokens_AbsentOrTooLarge_BecomesWhatFits()
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.MaxModelLength = 100);

        await server.CompleteAsync("");
        await server.CompleteAsync("\"max_tokens\":5000");
        await server.CompleteAsync("\"max_tokens\":5");

        Assert.Equal([99, 99, 5], server.Engine.Requests.Select(request => request.MaxTokens));
    }

    [Fact]
    public async Task Metadata_CountsBelowExplicitFields()
    {
        await using TestServer server = await TestServer.StartAsync();

        await server.ChatAsync("\"metadata\":{\"temperature\":0.3,\"top_k\":9},\"top_k\":4");

        Assert.True(server.Engine.Requests.TryDequeue(out GenerationRequest? request));
        Assert.Equal(0.3f, request.Sampling.Temperature);
        Assert.Equal(4, request.Sampling.TopK);
    }

    [Fact]
    public async Task Sampler_FromAPlugin_GetsTheNumbersTheApiDoesNotKnow()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer good = await server.ChatAsync("\"sampler\":\"typical\",\"typical_p\":0.9");
        Answer unknown = await server.ChatAsync("\"sampler\":\"mirostat\"");

        Assert.Equal(HttpStatusCode.OK, good.Status);
        Assert.True(server.Engine.Requests.TryDequeue(out GenerationRequest? request));
        Assert.Equal("typical", request.Sampling.Sampler);
        Assert.Equal(0.9, request.Sampling.Extra!["typical_p"]);
        unknown.AssertError(HttpStatusCode.BadRequest, "sampler");
    }

    [Fact]
    public async Task Sampler_TheServersDefault_GetsTheFieldsTheApiDoesNotKnow()
    {
        await using TestServer server = await TestServer.StartAsync();

        await server.ChatAsync("\"dry_base\":2,\"dry_sequence_breakers\":[\"a\",\"b\"],\"grammar\":\"x\",\"mixed\":[\"a\",1],\"temperature\":1");

        Assert.True(server.Engine.Requests.TryDequeue(out GenerationRequest? request));
        Assert.Null(request.Sampling.Sampler);
        Assert.Equal(2, Assert.Single(request.Sampling.Extra!).Value);
        Assert.Equal(["a", "b"], request.Sampling.ExtraTexts!["dry_sequence_breakers"]);
        Assert.Equal(["x"], request.Sampling.ExtraTexts["grammar"]);
        Assert.DoesNotContain("mixed", request.Sampling.ExtraTexts.Keys);
    }

    [Fact]
    public async Task BadWords_BecomeSequences()
    {
        await using TestServer server = await TestServer.StartAsync();

        await server.ChatAsync("\"bad_words\":[\"hello\"],\"bad_words_token_ids\":[[5,6],7]");
        Answer empty = await server.ChatAsync("\"bad_words\":[\"\"]");

        Assert.True(server.Engine.Requests.TryDequeue(out GenerationRequest? request));
        IReadOnlyList<int[]> words = request.Sampling.BadWords!;
        Assert.Contains(words, word => word.SequenceEqual([FakeTokenizer.Word("hello")]));
        Assert.Contains(words, word => word.SequenceEqual([5, 6]));
        Assert.Contains(words, word => word.SequenceEqual([7]));
        empty.AssertError(HttpStatusCode.BadRequest, "bad_words");
    }
}
