using System.Net;
using Ernie.Generation;
using Ernie.Server.Validation.Readers;

namespace Ernie.Server.Tests.Fields;

/// <summary>Lists in requests are bounded, with a 400 that says the bound; at the bound they are taken.</summary>
public sealed class ListBoundTests
{
    public static TheoryData<string, int, string> Lists => new()
    {
        { "bad_words", TokenFields.MostBadWords, "\"a\"" },
        { "bad_words_token_ids", TokenFields.MostBadWords, "[5,6]" },
        { "stop_token_ids", StopFields.MostTokens, "5" },
        { "stop", StopFields.MostStrings, "\"x\"" },
        { "logprob_token_ids", LogprobFields.MostTokens, "5" },
        { "documents", TemplateFields.MostDocuments, "{}" },
        { "allowed_token_ids", 280, "5" },
    };

    [Theory]
    [MemberData(nameof(Lists))]
    public async Task List_AtItsBound_IsTakenAndOneMoreIsA400ThatSaysIt(string field, int most, string item)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer fits = await server.ChatAsync($"\"logprobs\":true,\"{field}\":{Repeat(item, most)}");
        Answer tooLong = await server.ChatAsync($"\"logprobs\":true,\"{field}\":{Repeat(item, most + 1)}");

        Assert.True(fits.Status == HttpStatusCode.OK, fits.Text);
        tooLong.AssertError(HttpStatusCode.BadRequest, field);
        Assert.Contains($"at most {most} are allowed", tooLong.Json["error"]!["message"]!.GetValue<string>());
    }

    [Fact]
    public async Task LogitBias_IsBounded()
    {
        await using TestServer server = await TestServer.StartAsync();
        string Map(int count) => "{" + string.Join(',', Enumerable.Range(0, count).Select(index => $"\"{index % 280}\":1")) + "}";

        Answer fits = await server.ChatAsync($"\"logit_bias\":{Map(280)}");
        Answer tooLong = await server.PostAsync(
            "/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"x"}],"logit_bias":{{Map(TokenFields.MostBiases + 1)}}}""");

        Assert.Equal(HttpStatusCode.OK, fits.Status);
        tooLong.AssertError(HttpStatusCode.BadRequest, "logit_bias");
        Assert.Contains("at most 4096 are allowed", tooLong.Text);
    }

    [Fact]
    public async Task BadWord_IsBounded()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer fits = await server.ChatAsync($"\"bad_words\":[\"{new string('x', TokenFields.LongestBadWord)}\"]");
        Answer tooLong = await server.ChatAsync($"\"bad_words\":[\"{new string('x', TokenFields.LongestBadWord + 1)}\"]");
        Answer ids = await server.ChatAsync($"\"bad_words_token_ids\":[{Repeat("5", TokenFields.LongestBadWord + 1)}]");

        Assert.Equal(HttpStatusCode.OK, fits.Status);
        tooLong.AssertError(HttpStatusCode.BadRequest, "bad_words");
        ids.AssertError(HttpStatusCode.BadRequest, "bad_words_token_ids");
    }

    [Theory]
    [InlineData("\"n\":4", "\"n\":5", "n")]
    [InlineData("\"prompt\":[\"a\",\"b\"],\"n\":2", "\"prompt\":[\"a\",\"b\",\"c\"],\"n\":2", "prompt")]
    [InlineData("\"prompt\":[[5],[6],[7],[8]]", "\"prompt\":[[5],[6],[7],[8],[9]]", "prompt")]
    [InlineData("\"prompt_token_ids\":[[5],[6],[7],[8]]", "\"prompt_token_ids\":[[5],[6],[7],[8],[9]]", "prompt_token_ids")]
    public async Task Choices_AtTheServersLimit_AreTakenAndOneMoreIsA400(string fits, string tooMany, string field)
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { MaxChoicesPerRequest = 4 });

        Answer taken = await server.CompleteAsync(fits);
        Answer refused = await server.CompleteAsync(tooMany);

        Assert.True(taken.Status == HttpStatusCode.OK, taken.Text);
        Assert.Equal(4, taken.Json["choices"]!.AsArray().Count);
        refused.AssertError(HttpStatusCode.BadRequest, field);
        Assert.Contains("4", refused.Json["error"]!["message"]!.GetValue<string>());
    }

    [Fact]
    public async Task ManyPrompts_BeyondTheLimit_AreA400NotA429()
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.CompleteAsync($"\"prompt\":{Repeat("\"a\"", 1200)}");

        answer.AssertError(HttpStatusCode.BadRequest, "prompt");
        Assert.Contains("128", answer.Json["error"]!["message"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ManyPrompts_OnAnIdleServer_AreFedAsTheQueueTakesThem(bool stream)
    {
        int running = 0, most = 0;
        await using TestServer server = await TestServer.StartAsync(
            engine =>
            {
                // Three at once and no queue.
                engine.Reject = _ => engine.Active >= 3 ? new RequestRejectedException(RejectionReason.QueueFull, "The queue is full.") : null;
                engine.Before = async (_, number, token) =>
                {
                    if (number == 0)
                        most = Math.Max(most, Interlocked.Increment(ref running));
                    await Task.Yield();
                    token.ThrowIfCancellationRequested();
                    if (number == 1)
                        Interlocked.Decrement(ref running);
                };
            },
            options => options with { MaxChoicesPerRequest = 1200 });

        Answer answer = await server.CompleteAsync($"\"prompt\":{Repeat("\"a\"", 1200)},\"max_tokens\":2,\"stream\":{(stream ? "true" : "false")}");

        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text[..Math.Min(300, answer.Text.Length)]);
        Assert.Equal(1200, server.Engine.Requests.Count);
        Assert.Equal(0, server.Engine.Active);
    }

    [Fact]
    public async Task ManyPrompts_WhenOthersFillTheQueue_AreA429()
    {
        await using TestServer server = await TestServer.StartAsync(
            engine => engine.Reject = _ => new RequestRejectedException(RejectionReason.QueueFull, "The queue is full."));

        Answer answer = await server.CompleteAsync("\"prompt\":[\"a\",\"b\",\"c\",\"d\"]");

        answer.AssertError(HttpStatusCode.TooManyRequests, code: "queue_full");
    }

    [Fact]
    public async Task Choices_OfOneRequest_ShareOneSampling()
    {
        await using TestServer server = await TestServer.StartAsync();

        await server.ChatAsync("\"n\":8,\"temperature\":0.5");

        Assert.Single(server.Engine.Requests.Select(request => request.Sampling).Distinct(ReferenceEqualityComparer.Instance));
    }

    private static string Repeat(string item, int count) => "[" + string.Join(',', Enumerable.Repeat(item, count)) + "]";
}
