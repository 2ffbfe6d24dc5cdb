using System.Net;
using Ernie.Generation;
using Ernie.Sampling;
using Ernie.Server.Tests.Fakes;

namespace Ernie.Server.Tests.Fields;

/// <summary>Numbers: what peers take is taken, and what is refused says the range, both ends of it.</summary>
public sealed class RangeTests
{
    [Theory]
    [InlineData("\"top_p\":0")]
    [InlineData("\"temperature\":2.5")]
    [InlineData("\"temperature\":1000")]
    [InlineData("\"repetition_penalty\":1e10")]
    [InlineData("\"top_k\":0")]
    [InlineData("\"top_k\":2147483647")]
    [InlineData("\"seed\":-1")]
    [InlineData("\"min_tokens\":0")]
    [InlineData("\"truncate_prompt_tokens\":-1")]
    public async Task Number_ThatPeersTake_IsTaken(string field)
    {
        await using TestServer server = await TestServer.StartAsync();

        Assert.Equal(HttpStatusCode.OK, (await server.ChatAsync(field)).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.CompleteAsync(field)).Status);
    }

    [Fact]
    public async Task TopP_Zero_IsGreedyWhateverTheTemperature()
    {
        await using TestServer server = await TestServer.StartAsync(host: host => host with { Defaults = host.Defaults with { TopP = 0 } });

        await server.ChatAsync("\"temperature\":1.5");
        await server.ChatAsync("\"top_p\":0,\"temperature\":1.5");
        await server.ChatAsync("\"top_p\":0.5,\"temperature\":1.5");

        SamplingOptions[] asked = [.. server.Engine.Requests.Select(request => request.Sampling)];
        Assert.Equal([true, true, false], asked.Select(sampling => sampling.IsGreedy));
    }

    [Fact]
    public async Task Seed_MinusOne_DrawsOne()
    {
        await using TestServer server = await TestServer.StartAsync(engine => engine.Script = _ => [FakeTokenizer.Eos]);

        await server.ChatAsync("\"seed\":-1");
        await server.ChatAsync("\"seed\":-2");

        GenerationRequest[] requests = [.. server.Engine.Requests];
        Assert.Null(requests[0].Sampling.Seed);
        Assert.Equal(ulong.MaxValue - 1, requests[1].Sampling.Seed);
    }

    [Theory]
    [InlineData("top_logprobs", "\"logprobs\":true,\"top_logprobs\":-1")]
    [InlineData("prompt_logprobs", "\"prompt_logprobs\":-1")]
    public async Task Logprobs_MinusOne_IsTheVocabularyWhereTheServerAllowsIt(string field, string fields)
    {
        await using TestServer all = await TestServer.StartAsync(options: options => options with { MaxLogprobs = int.MaxValue });
        await using TestServer some = await TestServer.StartAsync();

        Answer taken = await all.ChatAsync(fields);
        Answer refused = await some.ChatAsync(fields);

        Assert.Equal(HttpStatusCode.OK, taken.Status);
        Assert.True(all.Engine.Requests.TryDequeue(out GenerationRequest? request));
        Assert.Equal(new FakeTokenizer().VocabularySize, field == "top_logprobs" ? request.Logprobs : request.PromptLogprobs);
        refused.AssertError(HttpStatusCode.BadRequest, field);
        Assert.Contains("between 0 and 20", refused.Json["error"]!["message"]!.GetValue<string>());
    }

    [Fact]
    public async Task CompletionLogprobs_AtTheServersLimit_AreTaken()
    {
        await using TestServer server = await TestServer.StartAsync(options: options => options with { MaxLogprobs = 25 });

        Assert.Equal(HttpStatusCode.OK, (await server.CompleteAsync("\"logprobs\":25")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.ChatAsync("\"logprobs\":true,\"top_logprobs\":25")).Status);
        (await server.CompleteAsync("\"logprobs\":26")).AssertError(HttpStatusCode.BadRequest, "logprobs");
        (await server.CompleteAsync("\"logprobs\":-1")).AssertError(HttpStatusCode.BadRequest, "logprobs");
    }

    [Theory]
    [InlineData("temperature", "-1", "0", "3.4e38")]
    [InlineData("temperature", "1e300", "0", "3.4e38")]
    [InlineData("top_p", "1.5", "0", "1")]
    [InlineData("top_p", "-0.5", "0", "1")]
    [InlineData("top_k", "-2", "-1", "2147483647")]
    [InlineData("top_k", "3000000000", "-1", "2147483647")]
    [InlineData("min_p", "2", "0", "1")]
    [InlineData("repetition_penalty", "0", "0", "3.4e38")]
    [InlineData("repetition_penalty", "1e300", "0", "3.4e38")]
    [InlineData("presence_penalty", "3", "-2", "2")]
    [InlineData("frequency_penalty", "-3", "-2", "2")]
    [InlineData("n", "0", "1", "128")]
    [InlineData("n", "5000000000", "1", "128")]
    [InlineData("best_of", "129", "1", "128")]
    [InlineData("max_tokens", "0", "1", "2147483647")]
    [InlineData("max_tokens", "5000000000", "1", "2147483647")]
    [InlineData("max_completion_tokens", "5000000000", "1", "2147483647")]
    [InlineData("response_max_tokens", "0", "1", "2147483647")]
    [InlineData("min_tokens", "5000000000", "0", "2147483647")]
    [InlineData("priority", "5000000000", "-2147483648", "2147483647")]
    [InlineData("truncate_prompt_tokens", "-2", "-1", "2147483647")]
    [InlineData("prompt_logprobs", "21", "0", "20")]
    [InlineData("logit_bias", "{\"5\":101}", "-100", "100")]
    [InlineData("stop_token_ids", "[280]", "0", "279")]
    public async Task Number_OutOfRange_IsToldTheRange(string field, string value, string least, string most)
    {
        await using TestServer server = await TestServer.StartAsync();

        Answer answer = await server.ChatAsync($"\"{field}\":{value}");

        answer.AssertError(HttpStatusCode.BadRequest, field);
        string message = answer.Json["error"]!["message"]!.GetValue<string>();
        Assert.Contains(least, message);
        Assert.Contains(most, message);
    }
}
