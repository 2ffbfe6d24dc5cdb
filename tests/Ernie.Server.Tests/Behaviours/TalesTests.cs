using System.Net;
using System.Text.Json.Nodes;
using Ernie.Generation;

namespace Ernie.Server.Tests.Behaviours;

/// <summary>Behaviours that only a real engine and a real model can hold.</summary>
[Collection(TalesGroup.Name)]
public sealed class TalesTests(TalesServer tales)
{
    private TestServer Server => tales.Server;

    [Fact, Trait("Behaviour", "20")]
    public async Task Greedy_AloneAndInABatchOf64_GivesTheSameTokens()
    {
        const string Fields = "\"prompt\":\"Once upon a time there was a little\",\"temperature\":0,\"max_tokens\":24,\"return_token_ids\":true";
        string[] others = [.. Enumerable.Range(0, 63).Select(index => $"\"prompt\":\"The {index}th king said\",\"temperature\":1,\"seed\":{index},\"max_tokens\":24")];

        Answer alone = await Server.CompleteAsync(Fields);
        Answer[] batch = await Task.WhenAll(others.Select(Server.CompleteAsync).Append(Server.CompleteAsync(Fields)));

        Assert.All(batch, answer => Assert.True(answer.Status == HttpStatusCode.OK, answer.Text));
        Assert.Equal(alone.Choice()["token_ids"]!.ToJsonString(), batch[^1].Choice()["token_ids"]!.ToJsonString());
    }

    [Fact, Trait("Behaviour", "21")]
    public async Task Seed_AloneOrBatched_GivesTheSameText()
    {
        const string Fields = "\"prompt\":\"The old witch\",\"temperature\":1,\"seed\":7,\"max_tokens\":16";

        Answer alone = await Server.CompleteAsync(Fields);
        Answer[] batch = await Task.WhenAll(Enumerable.Range(0, 15).Select(index => $"\"prompt\":\"A giant\",\"seed\":{index},\"max_tokens\":16").Append(Fields).Select(Server.CompleteAsync));
        SseStream stream = await Server.StreamCompleteAsync(Fields);

        Assert.Equal(alone.FirstText, batch[^1].FirstText);
        Assert.Equal(alone.FirstText, stream.Text());
    }

    [Fact, Trait("Behaviour", "21")]
    public async Task Seed_WithFourChoices_GivesFourReproducibleTexts()
    {
        const string Fields = "\"prompt\":\"In the forest\",\"temperature\":1,\"top_p\":1,\"seed\":11,\"n\":4,\"max_tokens\":16";

        Answer first = await Server.CompleteAsync(Fields);
        Answer second = await Server.CompleteAsync(Fields);

        string[] texts = [.. first.Json["choices"]!.AsArray().Select(choice => choice!["text"]!.GetValue<string>())];
        Assert.Equal(4, texts.Distinct().Count());
        Assert.Equal(texts, second.Json["choices"]!.AsArray().Select(choice => choice!["text"]!.GetValue<string>()));
    }

    [Fact, Trait("Behaviour", "8")]
    public async Task Chat_Streamed_HasThePlainText()
    {
        const string Fields = "\"messages\":[{\"role\":\"user\",\"content\":\"Tell me a story about a fox.\"}],\"seed\":3,\"max_tokens\":40,\"stop\":[\" the end\",\"xyz\"]";

        Answer plain = await Server.ChatAsync(Fields);
        SseStream stream = await Server.StreamChatAsync(Fields);

        Assert.NotEqual("", plain.Content);
        Assert.Equal(plain.Content, stream.ChatText());
    }

    [Fact, Trait("Behaviour", "24")]
    public async Task LogitBias_BansAndForces()
    {
        const string Fields = "\"prompt\":\"Once upon a\",\"temperature\":0,\"max_tokens\":3,\"return_token_ids\":true";

        Answer free = await Server.CompleteAsync(Fields);
        int favourite = free.Choice()["token_ids"]![0]!.GetValue<int>();
        Answer banned = await Server.CompleteAsync($"{Fields},\"logit_bias\":{{\"{favourite}\":-100}}");
        Answer forced = await Server.CompleteAsync($"{Fields},\"logit_bias\":{{\"300\":100}}");

        Assert.DoesNotContain(banned.Choice()["token_ids"]!.AsArray(), id => id!.GetValue<int>() == favourite);
        Assert.All(forced.Choice()["token_ids"]!.AsArray(), id => Assert.Equal(300, id!.GetValue<int>()));
    }

    [Fact, Trait("Behaviour", "25"), Trait("Behaviour", "26"), Trait("Behaviour", "27")]
    public async Task Logprobs_AreOfTheModelsDistribution()
    {
        Answer answer = await Server.CompleteAsync("\"prompt\":\"Once upon a time\",\"temperature\":0,\"max_tokens\":8,\"logprobs\":5,\"echo\":true,\"prompt_logprobs\":2");

        JsonNode logprobs = answer.Choice()["logprobs"]!;
        float?[] chosen = [.. logprobs["token_logprobs"]!.AsArray().Select(value => value?.GetValue<float>())];
        Assert.Null(chosen[0]);
        Assert.All(chosen.Skip(1), value => Assert.InRange(value!.Value, -100f, 0f));
        Assert.Equal(answer.FirstText, string.Concat(logprobs["tokens"]!.AsArray().Select(token => token!.GetValue<string>())));
        // Greedy: the drawn token is the best one.
        Assert.Equal(chosen[^1]!.Value, logprobs["top_logprobs"]!.AsArray()[^1]!.AsObject().Max(entry => entry.Value!.GetValue<float>()), 1e-6f);
        Assert.Null(answer.Choice()["prompt_logprobs"]![0]);
    }

    [Theory, Trait("Behaviour", "41")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Disconnects_ReturnEveryPage(bool stream)
    {
        IEngine engine = Server.Context.Engine;
        await UntilIdleAsync(engine);
        string prompt = string.Join(' ', Enumerable.Repeat("the king and the queen", 40));
        string body = $$"""{"prompt":"{{prompt}}","max_tokens":400,"ignore_eos":true,"stream":{{(stream ? "true" : "false")}}}""";
        var random = new Random(41);

        // Queued, in prefill, in decode: whatever each is at when its client goes.
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            using var disconnect = new CancellationTokenSource(random.Next(1, 400));
            try
            {
                using HttpResponseMessage response = await Server.OpenAsync("/v1/completions", body, disconnect.Token);
                await response.Content.ReadAsStringAsync(disconnect.Token);
            }
            catch (OperationCanceledException)
            {
                // That is the disconnect.
            }
        }));
        EngineStatistics after = await UntilEmptyAsync(engine);
        Answer answer = await Server.CompleteAsync("\"max_tokens\":2");

        Assert.Equal((0, 0, 0), (after.Running, after.Waiting, after.PagesInUse));
        Assert.Equal(engine.Info.PageCount, after.PagesFree);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Fact, Trait("Behaviour", "44")]
    public async Task CachedTokens_AreRightForRepeatedPartialAndSaltedPrompts()
    {
        await Server.Context.Engine.ResetPrefixCacheAsync();
        string Prompt(int count, int last) => $"\"prompt\":[{string.Join(',', Enumerable.Range(0, count - 1).Select(index => 300 + (index * 7 % 3000)).Append(last))}]";
        const string Rest = "\"temperature\":0,\"max_tokens\":8,\"return_token_ids\":true";

        Answer fresh = await Server.CompleteAsync($"{Prompt(150, 500)},{Rest}");
        Answer repeated = await Server.CompleteAsync($"{Prompt(150, 500)},{Rest}");
        Answer partial = await Server.CompleteAsync($"{Prompt(100, 501)},{Rest}");
        Answer whole = await Server.CompleteAsync($"{Prompt(129, 502)},{Rest}");
        Answer wholePages = await Server.CompleteAsync($"{Prompt(128, 503)},{Rest}");
        Answer wholePagesAgain = await Server.CompleteAsync($"{Prompt(128, 503)},{Rest}");
        Answer salted = await Server.CompleteAsync($"{Prompt(150, 500)},{Rest},\"cache_salt\":\"other\"");

        Assert.Equal(0, Cached(fresh));
        Assert.Equal(128, Cached(repeated));
        Assert.Equal(64, Cached(partial));
        Assert.Equal(128, Cached(whole));
        Assert.Equal(64, Cached(wholePages));
        Assert.Equal(127, Cached(wholePagesAgain));
        Assert.Equal(0, Cached(salted));
        Assert.Equal(wholePages.Choice()["token_ids"]!.ToJsonString(), wholePagesAgain.Choice()["token_ids"]!.ToJsonString());
        Assert.Equal(fresh.Choice()["token_ids"]!.ToJsonString(), repeated.Choice()["token_ids"]!.ToJsonString());
        Assert.Equal(fresh.Choice()["token_ids"]!.ToJsonString(), salted.Choice()["token_ids"]!.ToJsonString());
    }

    [Fact]
    public async Task Tokenize_AndBack_IsTheText()
    {
        Answer ids = await Server.PostAsync("/tokenize", """{"prompt":"The king's 3 daughters: 你好"}""");
        Answer text = await Server.PostAsync("/detokenize", $$"""{"tokens":{{ids.Json["tokens"]!.ToJsonString()}}}""");

        Assert.Equal("The king's 3 daughters: 你好", text.Json["prompt"]!.GetValue<string>());
    }

    private static int Cached(Answer answer) => answer.Json["usage"]!["prompt_tokens_details"]!["cached_tokens"]!.GetValue<int>();

    // A handler whose client is gone already may still be on its way to the engine when the last answer ends.
    private static async Task<EngineStatistics> UntilEmptyAsync(IEngine engine)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            await UntilIdleAsync(engine);
            await engine.ResetPrefixCacheAsync();
            EngineStatistics statistics = engine.GetStatistics();
            if (statistics.PagesFree == engine.Info.PageCount || limit.IsCancellationRequested)
                return statistics;
            await Task.Delay(5);
        }
    }

    private static async Task UntilIdleAsync(IEngine engine)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (engine.GetStatistics() is not { Running: 0, Waiting: 0 })
            await Task.Delay(5, limit.Token);
    }
}
