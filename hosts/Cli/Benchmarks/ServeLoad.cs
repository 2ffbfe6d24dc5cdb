using System.Text.Json;
using Ernie.Hosting.Options;

namespace Ernie.Cli.Benchmarks;

/// <summary>Requests and when they are sent, made before the clock runs.</summary>
internal sealed record ServeLoad
{
    /// <summary>Bodies, ready to send.</summary>
    public required IReadOnlyList<byte[]> Bodies { get; init; }

    /// <summary>Seconds after the start at which each is sent, ascending.</summary>
    public required IReadOnlyList<double> Arrivals { get; init; }

    /// <summary>Requests in flight at most; 0 is no limit.</summary>
    public required int MaxConcurrency { get; init; }

    /// <summary>Requests per second; 0 for all at once.</summary>
    public required double RequestRate { get; init; }

    /// <summary>Shape of the arrivals.</summary>
    public required double Burstiness { get; init; }

    /// <summary>Milliseconds to the first token of a good request; null for any.</summary>
    public required double? GoodFirstTokenMs { get; init; }

    /// <summary>Milliseconds per later token of a good request; null for any.</summary>
    public required double? GoodPerTokenMs { get; init; }

    /// <summary>Makes the load that options describe.</summary>
    /// <exception cref="OptionException">A value out of range, or a prompt file of the wrong form.</exception>
    public static async Task<ServeLoad> CreateAsync(OptionSet options, CancellationToken cancellationToken)
    {
        int count = options.Get(ServeRows.Prompts);
        double rate = options.Get(ServeRows.RequestRate);
        double burstiness = options.Get(ServeRows.Burstiness);
        var random = new Random(options.Get(ServeRows.Seed));
        IReadOnlyList<string>? prompts = options.Get(ServeRows.PromptFile) is { } path ? await ReadAsync(path, cancellationToken).ConfigureAwait(false) : null;
        ServeRequestShape shape = ServeRequestShape.From(options);
        return new ServeLoad
        {
            Bodies = [.. Enumerable.Range(0, count).Select(index => shape.Body(prompts?[index % prompts.Count], random))],
            Arrivals = CreateArrivals(random, count, rate, burstiness),
            MaxConcurrency = options.Get(ServeRows.MaxConcurrency),
            RequestRate = rate,
            Burstiness = burstiness,
            GoodFirstTokenMs = options.Get(ServeRows.GoodFirstTokenMs),
            GoodPerTokenMs = options.Get(ServeRows.GoodPerTokenMs),
        };
    }

    /// <summary>Gamma-distributed gaps, rescaled so that the last request is sent at count ÷ rate, as vLLM does.</summary>
    public static double[] CreateArrivals(Random random, int count, double rate, double burstiness)
    {
        var arrivals = new double[count];
        if (rate <= 0)
            return arrivals;
        double at = 0;
        for (int index = 0; index < count; index++)
            arrivals[index] = at += GammaSampler.Next(random, burstiness);
        double scale = count / rate / at;
        for (int index = 0; index < count; index++)
            arrivals[index] *= scale;
        return arrivals;
    }

    private static async Task<IReadOnlyList<string>> ReadAsync(string path, CancellationToken cancellationToken)
    {
        string text = await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false);
        try
        {
            return JsonSerializer.Deserialize(text, CliJsonContext.Default.ListString) is { Count: > 0 } prompts
                ? prompts
                : throw new OptionException($"--prompts {path} has no prompts.");
        }
        catch (JsonException exception)
        {
            throw new OptionException($"--prompts {path} must be a JSON array of strings: {exception.Message}");
        }
    }
}
