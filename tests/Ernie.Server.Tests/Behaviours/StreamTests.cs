using System.Net;
using System.Text.Json.Nodes;
using Ernie.Generation;
using Ernie.Server.Tests.Fakes;

namespace Ernie.Server.Tests.Behaviours;

public sealed class StreamTests
{
    [Fact, Trait("Behaviour", "1")]
    public async Task ChatStream_Starts_WithTheRoleAndEmptyContent()
    {
        await using TestServer server = await TestServer.StartAsync();

        SseStream stream = await server.StreamChatAsync("");

        JsonNode first = stream.Chunks.First()["choices"]![0]!;
        Assert.Equal("assistant", first["delta"]!["role"]!.GetValue<string>());
        Assert.Equal("", first["delta"]!["content"]!.GetValue<string>());
        Assert.True(first.AsObject().ContainsKey("finish_reason"));
        Assert.Null(first["finish_reason"]);
    }

    // A character of several tokens gives no text at first: nothing may go out then, headers least of all.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stream_ThatBeginsWithHalfACharacter_StreamsTheWholeOne(bool chat)
    {
        int[] tokens = [.. FakeTokenizer.Bytes("é語"), FakeTokenizer.Eos];
        // Between two tokens the stream waits, and sends what it has.
        await using TestServer server = await TestServer.StartAsync(engine =>
        {
            engine.Script = _ => tokens;
            engine.Before = (_, _, cancellationToken) => Task.Delay(5, cancellationToken);
        });

        SseStream stream = chat ? await server.StreamChatAsync("") : await server.StreamCompleteAsync("");

        Assert.Equal((HttpStatusCode.OK, "text/event-stream", true), (stream.Status, stream.MediaType, stream.Done));
        Assert.Equal("é語", chat ? stream.ChatText() : stream.Text());
    }

    [Theory, Trait("Behaviour", "2")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stream_EveryChunk_HasTheSameIdentity(bool chat)
    {
        await using TestServer server = await TestServer.StartAsync();

        SseStream stream = chat
            ? await server.StreamChatAsync("\"stream_options\":{\"include_usage\":true}")
            : await server.StreamCompleteAsync("\"stream_options\":{\"include_usage\":true}");

        Assert.True(stream.Events.Count > 3);
        foreach (string field in (string[])["id", "created", "model", "system_fingerprint", "object"])
            Assert.Single(stream.Events.Select(item => item[field]!.ToJsonString()).Distinct());
        Assert.Equal(chat ? "chat.completion.chunk" : "text_completion", stream.Events[0]["object"]!.GetValue<string>());
    }

    [Theory, Trait("Behaviour", "3")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stream_EachChoice_EndsOnceInAChunkWithoutText(bool chat)
    {
        await using TestServer server = await TestServer.StartAsync();

        SseStream stream = chat ? await server.StreamChatAsync("\"n\":2") : await server.StreamCompleteAsync("\"n\":2");

        for (int index = 0; index < 2; index++)
        {
            Assert.Equal(["stop"], stream.FinishReasons(index));
            JsonNode last = stream.Choices(index).Last();
            Assert.Equal("stop", last["finish_reason"]!.GetValue<string>());
            Assert.Equal("", (chat ? last["delta"]!["content"] : last["text"])?.GetValue<string>() ?? "");
        }
    }

    [Theory, Trait("Behaviour", "4")]
    [InlineData("\"seed\":0", "stop", null)]
    [InlineData("\"stop\":\" king\"", "stop", "\" king\"")]
    [InlineData("\"stop_token_ids\":[261]", "stop", "261")]
    [InlineData("\"max_tokens\":3", "length", null)]
    public async Task Completion_Ends_ForTheRightReason(string fields, string reason, string? stopReason)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.CompleteAsync(fields);
        SseStream stream = await server.StreamCompleteAsync(fields);

        Assert.Equal(reason, answer.Choice()["finish_reason"]!.GetValue<string>());
        Assert.Equal(stopReason, answer.Choice()["stop_reason"]?.ToJsonString());
        Assert.Equal([reason], stream.FinishReasons());
    }

    [Fact, Trait("Behaviour", "4")]
    public async Task Completion_FullContext_EndsForLength()
    {
        await using TestServer server = await TestServer.StartAsync(engine =>
        {
            engine.MaxModelLength = 12;
            engine.Script = _ => Enumerable.Repeat(FakeTokenizer.Word(" the"), 1000);
        });

        Answer answer = await server.CompleteAsync("\"max_tokens\":500");

        Assert.Equal("length", answer.Choice()["finish_reason"]!.GetValue<string>());
        Assert.Equal(11, answer.Json["usage"]!["completion_tokens"]!.GetValue<int>());
        Assert.Equal(12, answer.Json["usage"]!["total_tokens"]!.GetValue<int>());
    }

    [Theory, Trait("Behaviour", "5")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stream_Usage_ComesLastAndOnlyWhenAskedFor(bool chat)
    {
        await using TestServer server = await TestServer.StartAsync();

        SseStream without = chat ? await server.StreamChatAsync("") : await server.StreamCompleteAsync("");
        const string Options = "\"stream_options\":{\"include_usage\":true}";
        SseStream with = chat ? await server.StreamChatAsync(Options) : await server.StreamCompleteAsync(Options);

        Assert.DoesNotContain(without.Events, item => item["usage"] is not null);
        Assert.Single(with.Events, item => item["usage"] is not null);
        JsonNode last = with.Events[^1];
        Assert.Empty(last["choices"]!.AsArray());
        JsonNode usage = last["usage"]!;
        Assert.Equal(
            usage["total_tokens"]!.GetValue<int>(), usage["prompt_tokens"]!.GetValue<int>() + usage["completion_tokens"]!.GetValue<int>());
        Assert.True(with.Done);
    }

    [Fact, Trait("Behaviour", "6")]
    public async Task Stream_ContinuousUsage_RisesWithTheDeltas()
    {
        await using TestServer server = await TestServer.StartAsync();

        SseStream stream = await server.StreamChatAsync("\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}");

        int[] counts = [.. stream.Events.Select(item => item["usage"]!["completion_tokens"]!.GetValue<int>())];
        Assert.Equal(counts.Order(), counts);
        Assert.Equal(0, counts[0]);
        Assert.Equal(1, counts[1]);
        Assert.Equal(counts[^1], counts.Max());
    }

    [Fact, Trait("Behaviour", "6")]
    public async Task StreamOptions_WithoutStream_Is400()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.ChatAsync("\"stream_options\":{\"include_usage\":true}");

        answer.AssertError(HttpStatusCode.BadRequest, "stream_options");
    }

    [Fact, Trait("Behaviour", "7")]
    public async Task Stream_IsAnEventStream_FlushedPerStepAndDone()
    {
        var second = new TaskCompletionSource();
        await using TestServer server = await TestServer.StartAsync(engine => engine.Before = (_, number, _) => number == 1 ? second.Task : Task.CompletedTask);

        using HttpResponseMessage response = await server.OpenAsync("/v1/completions", """{"prompt":"hello","stream":true}""");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        string? first = await reader.ReadLineAsync();
        second.SetResult();
        string rest = await reader.ReadToEndAsync();

        // The first token was readable while the engine still waited with the second.
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains("Once", first);
        Assert.EndsWith("data: [DONE]\n\n", rest);
    }

    [Fact, Trait("Behaviour", "7")]
    public async Task Stream_DuringALongPrefill_GetsComments()
    {
        var prefill = new TaskCompletionSource();
        await using TestServer server = await TestServer.StartAsync(
            engine => engine.Before = (_, number, token) => number == 0 ? prefill.Task.WaitAsync(token) : Task.CompletedTask,
            options => options with { KeepAliveSeconds = 0.05 });

        using HttpResponseMessage response = await server.OpenAsync("/v1/completions", """{"prompt":"hello","stream":true}""");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        string? first = await reader.ReadLineAsync();
        prefill.SetResult();
        string rest = await reader.ReadToEndAsync();

        Assert.Equal(": keep-alive", first);
        Assert.Contains("\"finish_reason\":\"stop\"", rest);
        Assert.EndsWith("data: [DONE]\n\n", rest);
    }

    [Theory, Trait("Behaviour", "8")]
    [InlineData("\"seed\":3")]
    [InlineData("\"seed\":4,\"stop\":[\"king the\",\"zzz\"]")]
    [InlineData("\"seed\":5,\"max_tokens\":4")]
    [InlineData("\"seed\":6,\"logprobs\":2")]
    [InlineData("\"seed\":7,\"echo\":true,\"n\":3")]
    [InlineData("\"seed\":8,\"return_token_ids\":true")]
    public async Task Stream_SameSeed_HasThePlainText(string fields)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer plain = await server.CompleteAsync(fields);
        SseStream stream = await server.StreamCompleteAsync(fields);

        for (int index = 0; index < plain.Json["choices"]!.AsArray().Count; index++)
            Assert.Equal(plain.Choice(index)["text"]!.GetValue<string>(), stream.Text(index));
    }

    [Fact, Trait("Behaviour", "9")]
    public async Task Stream_ErrorAfterTheFirstByte_IsAnEvent()
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.FailAt = 2);

        SseStream stream = await server.StreamChatAsync("");

        Assert.Equal(HttpStatusCode.OK, stream.Status);
        Assert.Equal("scripted failure", stream.Events[^1]["error"]!["message"]!.GetValue<string>());
        Assert.Empty(stream.FinishReasons());
        Assert.True(stream.Done);
    }

    [Fact, Trait("Behaviour", "9")]
    public async Task Stream_ErrorBeforeTheFirstByte_HasAStatus()
    {
        await using TestServer failing = await TestServer.StartAsync(engine => engine.FailAt = 0);
        await using TestServer full = await TestServer.StartAsync(
            engine => engine.Reject = _ => new RequestRejectedException(RejectionReason.QueueFull, "1024 requests wait"));

        SseStream failed = await failing.StreamChatAsync("");
        SseStream refused = await full.StreamChatAsync("");

        Assert.Equal(HttpStatusCode.InternalServerError, failed.Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
    }

    [Fact, Trait("Behaviour", "10")]
    public async Task SlowReader_DoesNotBlockTheEngine()
    {
        const int Tokens = 60_000;
        await using TestServer server = await TestServer.StartAsync(engine =>
        {
            engine.MaxModelLength = Tokens + 10;
            engine.Script = _ => Enumerable.Repeat(FakeTokenizer.Word(" queen"), Tokens);
        });

        // Nobody reads this one: its socket's buffers fill up long before its last token.
        using HttpResponseMessage slow = await server.OpenAsync("/v1/completions", """{"prompt":"hello","stream":true}""");
        SseStream quick = await server.StreamCompleteAsync("\"max_tokens\":5");
        while (server.Context.Engine.GetStatistics().GeneratedTokens < Tokens)
            await Task.Delay(10, new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token);

        Assert.Equal(["length"], quick.FinishReasons());
    }

    [Theory, Trait("Behaviour", "22")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stream_ManyChoices_CarryTheirIndexAndCountThePromptOnce(bool chat)
    {
        await using TestServer server = await TestServer.StartAsync();
        const string Fields = "\"n\":3,\"seed\":1,\"stream_options\":{\"include_usage\":true}";

        SseStream stream = chat ? await server.StreamChatAsync(Fields) : await server.StreamCompleteAsync(Fields);
        Answer plain = chat ? await server.ChatAsync("\"n\":3,\"seed\":1") : await server.CompleteAsync("\"n\":3,\"seed\":1");
        Answer single = chat ? await server.ChatAsync("\"seed\":1") : await server.CompleteAsync("\"seed\":1");

        for (int index = 0; index < 3; index++)
        {
            string expected = chat ? plain.Choice(index)["message"]!["content"]!.GetValue<string>() : plain.Choice(index)["text"]!.GetValue<string>();
            Assert.Equal(expected, chat ? stream.ChatText(index) : stream.Text(index));
        }

        int prompt = single.Json["usage"]!["prompt_tokens"]!.GetValue<int>();
        Assert.Equal(prompt, stream.Events[^1]["usage"]!["prompt_tokens"]!.GetValue<int>());
        Assert.Equal(prompt, plain.Json["usage"]!["prompt_tokens"]!.GetValue<int>());
    }
}
