using System.Text.Json;
using System.Text.Json.Nodes;
using Ernie.Hosting.Options;

namespace Ernie.Cli.Benchmarks;

/// <summary>What the requests of a load look like: ranges of lengths, and how many ask for log-probabilities.</summary>
internal sealed record ServeRequestShape
{
    // Ids that every served vocabulary has, away from control tokens and bytes.
    private const int FirstId = 300;
    private const int LastId = 4000;

    /// <summary>Prompt tokens, from the least to the most.</summary>
    public required (int Least, int Most) Input { get; init; }

    /// <summary>Tokens to generate, from the least to the most.</summary>
    public required (int Least, int Most) Output { get; init; }

    /// <summary>Log-probabilities per token; null for none.</summary>
    public int? Logprobs { get; init; }

    /// <summary>Part of the requests that ask for them.</summary>
    public double LogprobsShare { get; init; } = 1;

    /// <summary>Model to ask for; null for the server's first.</summary>
    public string? Model { get; init; }

    /// <summary>Reads the shape from a command's options.</summary>
    /// <exception cref="OptionException">A range that ends before it begins.</exception>
    public static ServeRequestShape From(OptionSet options)
    {
        return new ServeRequestShape
        {
            Input = Range(options, ServeRows.InputLength, ServeRows.InputLengthMost),
            Output = Range(options, ServeRows.OutputLength, ServeRows.OutputLengthMost),
            Logprobs = options.Get(ServeRows.Logprobs),
            LogprobsShare = options.Get(ServeRows.LogprobsShare),
            Model = options.Get(ServeRows.Model),
        };
    }

    /// <summary>Makes a request's body.</summary>
    /// <param name="text">Its prompt; null for random ids.</param>
    /// <param name="random">Source of ids, lengths and of who asks for log-probabilities.</param>
    public byte[] Body(string? text, Random random)
    {
        JsonNode prompt = text is not null
            ? JsonValue.Create(text)
            : new JsonArray([.. Enumerable.Range(0, Draw(Input, random)).Select(_ => (JsonNode)JsonValue.Create(random.Next(FirstId, LastId)))]);
        var body = new JsonObject
        {
            ["prompt"] = prompt,
            ["max_tokens"] = Draw(Output, random),
            ["ignore_eos"] = true,
            ["temperature"] = 0,
            ["stream"] = true,
            ["stream_options"] = new JsonObject { ["include_usage"] = true },
        };
        // Drawn for every request, so that loads with and without log-probabilities have the same lengths.
        bool asks = random.NextDouble() < LogprobsShare;
        if (Logprobs is { } count && asks)
            body["logprobs"] = count;
        if (Model is not null)
            body["model"] = Model;
        return JsonSerializer.SerializeToUtf8Bytes(body, CliJsonContext.Default.JsonObject);
    }

    private static int Draw((int Least, int Most) range, Random random) =>
        range.Least == range.Most ? range.Least : random.Next(range.Least, range.Most + 1);

    private static (int Least, int Most) Range(OptionSet options, Option<int> leastRow, Option<int?> mostRow)
    {
        int least = options.Get(leastRow);
        int most = options.Get(mostRow) ?? least;
        return most >= least ? (least, most) : throw new OptionException($"--{mostRow.Name} is {most}, below --{leastRow.Name}, which is {least}.");
    }
}
