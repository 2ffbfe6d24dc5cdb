using System.Diagnostics;
using System.Text.Json;
using Ernie.Cli.Hosting;
using Ernie.Generation;
using Ernie.Hosting.Options;

namespace Ernie.Cli.Benchmarks;

/// <summary>Times one batch from prompt to last token.</summary>
internal sealed class LatencyCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "bench latency";

    /// <inheritdoc/>
    public string Summary => "Times a batch in this process: prompt tokens per second to the first token, and tokens per second after it.";

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options { get; } =
    [
        .. BenchOptions.Shared,
        new("batch-size", OptionGroup.Command, OptionKind.WholeNumber, "Sequences that start together.") { Default = "1" },
        new("warmup", OptionGroup.Command, OptionKind.WholeNumber, "Rounds before the measured ones.") { Default = "1" },
        new("iterations", OptionGroup.Command, OptionKind.WholeNumber, "Measured rounds; their median is reported.") { Default = "3" },
        .. OptionTable.WithoutServer,
    ];

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        // The table has defaults for all of them.
        int inputLength = context.Options.WholeNumber("input-len", 1)!.Value;
        int outputLength = context.Options.WholeNumber("output-len", 2)!.Value;
        int batch = context.Options.WholeNumber("batch-size", 1, 4096)!.Value;
        int warmup = context.Options.WholeNumber("warmup", 0)!.Value;
        int iterations = context.Options.WholeNumber("iterations", 1)!.Value;
        ModelSession session = await context.OpenAsync(BenchOptions.Adjust(inputLength + outputLength, batch), cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            IEngine engine = session.Host.Engine;
            var random = new Random(20251);
            var rounds = new List<Round>();
            for (int round = 0; round < warmup + iterations; round++)
            {
                Round measured = await MeasureAsync(engine, random, batch, inputLength, outputLength, cancellationToken).ConfigureAwait(false);
                await context.Console.Error.WriteLineAsync(
                    $"{(round < warmup ? "warm-up" : "measured")}: first token after {measured.FirstToken * 1e3:0.0} ms, the rest in {measured.Rest * 1e3:0.0} ms").ConfigureAwait(false);
                if (round >= warmup)
                    rounds.Add(measured);
            }

            double first = BenchOptions.Median([.. rounds.Select(round => round.FirstToken)]);
            double rest = BenchOptions.Median([.. rounds.Select(round => round.Rest)]);
            var result = new LatencyResult
            {
                Model = engine.Info.ModelName,
                Device = engine.Info.Device,
                Quantization = context.Options.RequiredText("quantization"),
                InputLen = inputLength,
                OutputLen = outputLength,
                BatchSize = batch,
                Iterations = iterations,
                PrefillTokensPerSecond = batch * inputLength / first,
                DecodeTokensPerSecond = batch * (outputLength - 1) / rest,
                TimeToFirstTokenMs = first * 1e3,
                TimePerOutputTokenMs = rest * 1e3 / (outputLength - 1),
                LatencyMs = (first + rest) * 1e3,
            };
            await context.Console.Output.WriteLineAsync(JsonSerializer.Serialize(result, CliJsonContext.Default.LatencyResult)).ConfigureAwait(false);
        }

        return 0;
    }

    private static async Task<Round> MeasureAsync(IEngine engine, Random random, int batch, int inputLength, int outputLength, CancellationToken cancellationToken)
    {
        GenerationRequest[] requests = [.. Enumerable.Range(0, batch).Select(_ => BenchOptions.CreateRequest(engine, random, inputLength, outputLength))];
        long start = Stopwatch.GetTimestamp();
        (long First, long Last)[] times = await Task.WhenAll(requests.Select(request => RequestTimer.TimeAsync(engine, request, cancellationToken))).ConfigureAwait(false);
        long first = times.Max(time => time.First);
        return new Round(Stopwatch.GetElapsedTime(start, first).TotalSeconds, Stopwatch.GetElapsedTime(first, times.Max(time => time.Last)).TotalSeconds);
    }

    private readonly record struct Round(double FirstToken, double Rest);
}

/// <summary>Outcome of <c>bench latency</c>: medians over the measured rounds.</summary>
internal sealed record LatencyResult
{
    public required string Model { get; init; }

    public required string Device { get; init; }

    public required string Quantization { get; init; }

    public required int InputLen { get; init; }

    public required int OutputLen { get; init; }

    public required int BatchSize { get; init; }

    public required int Iterations { get; init; }

    /// <summary>Prompt tokens of the batch ÷ time to the last sequence's first token.</summary>
    public required double PrefillTokensPerSecond { get; init; }

    /// <summary>Tokens after the first ÷ the time from there to the end.</summary>
    public required double DecodeTokensPerSecond { get; init; }

    public required double TimeToFirstTokenMs { get; init; }

    public required double TimePerOutputTokenMs { get; init; }

    public required double LatencyMs { get; init; }
}
