using System.Net;
using System.Text.Json.Nodes;

namespace Ernie.Server.Tests;

/// <summary>A stream of server-sent events, read to its end.</summary>
internal sealed record SseStream(HttpStatusCode Status, string? MediaType, string Raw, IReadOnlyList<JsonNode> Events, bool Done)
{
    /// <summary>Events that carry choices.</summary>
    public IEnumerable<JsonNode> Chunks => Events.Where(item => item["choices"] is JsonArray { Count: > 0 });

    public IEnumerable<JsonNode> Choices(int index = 0) =>
        Chunks.SelectMany(chunk => chunk["choices"]!.AsArray()).Select(choice => choice!).Where(choice => choice["index"]!.GetValue<int>() == index);

    public string ChatText(int index = 0) => string.Concat(Choices(index).Select(choice => choice["delta"]!["content"]?.GetValue<string>() ?? ""));

    public string Text(int index = 0) => string.Concat(Choices(index).Select(choice => choice["text"]!.GetValue<string>()));

    public string[] FinishReasons(int index = 0) =>
        [.. Choices(index).Select(choice => choice["finish_reason"]?.GetValue<string>()).OfType<string>()];

    public static async Task<SseStream> ReadAsync(HttpResponseMessage response) =>
        Parse(response.StatusCode, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsStringAsync());

    public static SseStream Parse(HttpStatusCode status, string? mediaType, string raw)
    {
        var events = new List<JsonNode>();
        bool done = false;
        if (mediaType?.Split(';')[0] == "text/event-stream")
        {
            foreach (string item in raw.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
            {
                if (item.StartsWith(':'))
                    continue;
                Assert.StartsWith("data: ", item);
                Assert.False(done, "an event after [DONE]");
                if (item == "data: [DONE]")
                    done = true;
                else
                    events.Add(JsonNode.Parse(item["data: ".Length..])!);
            }
        }

        return new SseStream(status, mediaType, raw, events, done);
    }
}
