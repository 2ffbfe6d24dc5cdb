using System.Text.Json.Nodes;
using Ernie.Cli.Benchmarks;

namespace Ernie.Cli.Tests;

public sealed class ServeRequestShapeTests
{
    [Fact]
    public void Body_OfRanges_StaysWithinThemAndReachesBothEnds()
    {
        ServeRequestShape shape = new() { Input = (8, 12), Output = (1, 3) };

        JsonNode[] bodies = Bodies(shape, 500);

        Assert.Equal([8, 9, 10, 11, 12], bodies.Select(body => body["prompt"]!.AsArray().Count).Distinct().Order());
        Assert.Equal([1, 2, 3], bodies.Select(body => body["max_tokens"]!.GetValue<int>()).Distinct().Order());
        Assert.All(bodies, body => Assert.Null(body["logprobs"]));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.2, 150, 250)]
    [InlineData(1, 1000, 1000)]
    public void Body_WithAShareOfLogprobs_AsksInThatPartOfTheRequests(double share, int least, int most)
    {
        ServeRequestShape shape = new() { Input = (1, 1), Output = (1, 1), Logprobs = 3, LogprobsShare = share };

        int asking = Bodies(shape, 1000).Count(body => body["logprobs"]?.GetValue<int>() == 3);

        Assert.InRange(asking, least, most);
    }

    [Fact]
    public void Body_WithAndWithoutLogprobs_HasTheSameLengths()
    {
        ServeRequestShape without = new() { Input = (8, 5000), Output = (1, 400) };

        JsonNode[] plain = Bodies(without, 20), asking = Bodies(without with { Logprobs = 5, LogprobsShare = 0.2 }, 20);

        Assert.Equal(plain.Select(body => body["prompt"]!.ToJsonString()), asking.Select(body => body["prompt"]!.ToJsonString()));
        Assert.Equal(plain.Select(body => body["max_tokens"]!.ToJsonString()), asking.Select(body => body["max_tokens"]!.ToJsonString()));
    }

    private static JsonNode[] Bodies(ServeRequestShape shape, int count)
    {
        var random = new Random(5);
        return [.. Enumerable.Range(0, count).Select(_ => JsonNode.Parse(shape.Body(null, random))!)];
    }
}
