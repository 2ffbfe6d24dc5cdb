using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Ernie.Generation;
using Ernie.Hosting.Options;
using Ernie.Server.Tests.Fakes;

namespace Ernie.Server.Tests.Fields;

/// <summary>The fields that shape drawing, log-probabilities and usage have their effect.</summary>
public sealed class AnswerFieldTests
{
    [Fact]
    public async Task DrawingFields_ReachTheEngine()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.ChatAsync(
            "\"allowed_token_ids\":[260,262],\"logprobs\":true,\"logprob_token_ids\":[261,262],\"temp_scaled_logprobs\":true,\"top_p_normalized_logprobs\":true," +
            "\"response_max_tokens\":3,\"max_tokens\":5,\"vllm_xargs\":{\"typical_p\":0.5,\"breakers\":[\"a\"]}");

        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.True(server.Engine.Requests.TryDequeue(out GenerationRequest? request));
        Assert.Equal([260, 262], request.Sampling.AllowedTokens!);
        Assert.Equal([261, 262], request.LogprobTokens!);
        Assert.True(request is { TemperatureScaledLogprobs: true, TopPNormalizedLogprobs: true, MaxTokens: 3 });
        Assert.Equal(0.5, request.Sampling.Extra!["typical_p"]);
        Assert.Equal(["a"], request.Sampling.ExtraTexts!["breakers"]);
    }

    [Fact]
    public async Task LogprobTokenIds_WithoutLogprobs_Is400()
    {
        await using TestServer server = await TestServer.StartAsync();

        (await server.ChatAsync("\"logprob_token_ids\":[5]")).AssertError(HttpStatusCode.BadRequest, "logprob_token_ids");
        (await server.CompleteAsync("\"logprob_token_ids\":[5]")).AssertError(HttpStatusCode.BadRequest, "logprob_token_ids");
        (await server.ChatAsync("\"logprobs\":true,\"logprob_token_ids\":[]")).AssertError(HttpStatusCode.BadRequest, "logprob_token_ids");
        (await server.ChatAsync("\"allowed_token_ids\":[]")).AssertError(HttpStatusCode.BadRequest, "allowed_token_ids");
    }

    [Theory]
    [InlineData("\"return_tokens_as_token_ids\":true")]
    [InlineData("\"include_logprobs_decode_token\":false")]
    public async Task TokensAsIds_SpellLogprobsByIds(string field)
    {
        int hello = FakeTokenizer.Word("hello");
        await using TestServer server = await TestServer.StartAsync(engine => engine.Script = _ => [hello, FakeTokenizer.Eos]);

        Answer chat = await server.ChatAsync($"\"logprobs\":true,\"top_logprobs\":1,{field}");
        SseStream stream = await server.StreamChatAsync($"\"logprobs\":true,{field}");
        Answer text = await server.CompleteAsync($"\"logprobs\":1,\"echo\":true,{field}");

        JsonNode entry = chat.Choice()["logprobs"]!["content"]![0]!;
        Assert.Equal($"token_id:{hello}", entry["token"]!.GetValue<string>());
        Assert.Equal($"token_id:{hello}", entry["top_logprobs"]![0]!["token"]!.GetValue<string>());
        Assert.Equal("hello"u8.Length, entry["bytes"]!.AsArray().Count);
        Assert.Contains(stream.Choices(), choice => choice["logprobs"]?["content"]?[0]?["token"]?.GetValue<string>() == $"token_id:{hello}");
        Assert.All(text.Choice()["logprobs"]!["tokens"]!.AsArray(), token => Assert.StartsWith("token_id:", token!.GetValue<string>()));
    }

    [Fact]
    public async Task ContinuousUsage_NeedsIncludeUsage()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.ChatAsync("\"stream\":true,\"stream_options\":{\"continuous_usage_stats\":true}");

        answer.AssertError(HttpStatusCode.BadRequest, "stream_options");
    }

    [Fact]
    public async Task ContinuousUsage_CountsWhatWasSent()
    {
        int[] tokens = [FakeTokenizer.Word("hello"), FakeTokenizer.Word("ST"), FakeTokenizer.Word(" king"), FakeTokenizer.Eos];
        await using TestServer server = await TestServer.StartAsync(engine => engine.Script = _ => tokens);

        SseStream stream = await server.StreamChatAsync("\"stop\":\"STOP\",\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}");

        // "ST" may begin the stop string and is held back until " king" shows that it does not.
        (string? Text, int Count)[] seen = [.. stream.Events.Select(item => (
            item["choices"]!.AsArray().FirstOrDefault()?["delta"]?["content"]?.GetValue<string>(), item["usage"]!["completion_tokens"]!.GetValue<int>()))];
        Assert.Equal([("", 0), ("hello", 1), ("ST king", 3), (null, 4), (null, 4)], seen);
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("5")]
    public async Task CacheSalt_EmptyOrNoText_Is400(string salt)
    {
        await using TestServer server = await TestServer.StartAsync();

        (await server.ChatAsync($"\"cache_salt\":{salt}")).AssertError(HttpStatusCode.BadRequest, "cache_salt");
    }

    [Fact]
    public async Task CacheSaltByKey_GivesEachKeyItsOwnSalt()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { ApiKeys = ["k1", "k2"], CacheSaltBy = CacheSaltSource.Key });

        foreach (string key in (string[])["k1", "k2", "k1"])
        {
            server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            await server.ChatAsync("");
        }

        await server.ChatAsync("\"cache_salt\":\"mine\"");

        string[] salts = [.. server.Engine.Requests.Select(request => request.CacheSalt!)];
        Assert.Equal(salts[0], salts[2]);
        Assert.Equal(3, salts.Distinct().Count());
        Assert.All(salts, salt => Assert.DoesNotContain("k1", salt));
    }

    [Fact]
    public void CacheSaltByKey_WithoutKeys_EndsTheStart()
    {
        var options = new Hosting.ServerOptions { CacheSaltBy = CacheSaltSource.Key };

        Assert.Contains("--api-key", Assert.Throws<OptionException>(options.Check).Message);
        (options with { ApiKeys = ["k"] }).Check();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CachedTokens_AreReportedUnlessSwitchedOff(bool reports)
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.CachedTokens = 64, options => options with { ReportCachedTokens = reports });

        Answer plain = await server.ChatAsync("");
        SseStream stream = await server.StreamChatAsync("\"stream_options\":{\"include_usage\":true}");

        Assert.Equal(reports, plain.Text.Contains("cached_tokens", StringComparison.Ordinal));
        Assert.Equal(reports, stream.Events[^1]["usage"]!.AsObject().ContainsKey("prompt_tokens_details"));
    }

    [Fact]
    public async Task Tokenize_CountsAmongTheRequestsServedAtOnce()
    {
        var go = new TaskCompletionSource();
        await using TestServer server = await TestServer.StartAsync(engine => engine.Before = (_, _, _) => go.Task, options => options with { MaxConcurrency = 1 });

        Task<Answer> running = server.ChatAsync("");
        while (server.Engine.Active < 1)
            await Task.Delay(5);
        Answer tokenize = await server.PostAsync("/tokenize", """{"prompt":"hello"}""");
        Answer detokenize = await server.PostAsync("/detokenize", """{"tokens":[5]}""");
        go.SetResult();
        await running;
        Answer after = await server.PostAsync("/tokenize", """{"prompt":"hello"}""");

        tokenize.AssertError(HttpStatusCode.TooManyRequests);
        detokenize.AssertError(HttpStatusCode.TooManyRequests);
        Assert.Equal(HttpStatusCode.OK, after.Status);
    }
}
