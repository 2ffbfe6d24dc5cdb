using System.Diagnostics;
using System.Text.Json;
using Ernie.Cli.Hosting;
using Ernie.Generation;
using Ernie.Hosting.Options;

namespace Ernie.Cli.Benchmarks;

/// <summary>Runs many sequences through the engine as fast as it takes them.</summary>
internal sealed class ThroughputCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "bench throughput";

    /// <inheritdoc/>
    public string Summary => "Runs many sequences in this process and reports tokens per second over all of them.";

    /// <inheritdoc/>
    public IReadOnlyList<OptionDefinition> Options { get; } =
    [
        .. BenchOptions.Shared,
        new("num-prompts", OptionGroup.Command, OptionKind.WholeNumber, "Sequences.") { Default = "16" },
        new("batch-size", OptionGroup.Command, OptionKind.WholeNumber, "Sequences that run at once at most.") { Default = "8" },
        .. OptionTable.WithoutServer,
    ];

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        // The table has defaults for all of them.
        int inputLength = context.Options.WholeNumber("input-len", 1)!.Value;
        int outputLength = context.Options.WholeNumber("output-len", 1)!.Value;
        int prompts = context.Options.WholeNumber("num-prompts", 1)!.Value;
        int batch = context.Options.WholeNumber("batch-size", 1, 4096)!.Value;
        ModelSession session = await context.OpenAsync(BenchOptions.Adjust(inputLength + outputLength, batch), cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            IEngine engine = session.Host.Engine;
            var random = new Random(20252);
            // Warm-up: code is compiled and pages are touched before the clock runs.
            await RequestTimer.TimeAsync(engine, BenchOptions.CreateRequest(engine, random, inputLength, Math.Min(outputLength, 8)), cancellationToken).ConfigureAwait(false);
            GenerationRequest[] requests = [.. Enumerable.Range(0, prompts).Select(_ => BenchOptions.CreateRequest(engine, random, inputLength, outputLength))];
            long start = Stopwatch.GetTimestamp();
            (long First, long Last)[] times = await Task.WhenAll(requests.Select(request => RequestTimer.TimeAsync(engine, request, cancellationToken))).ConfigureAwait(false);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var result = new ThroughputResult
            {
                Model = engine.Info.ModelName,
                Device = engine.Info.Device,
                Quantization = context.Options.RequiredText("quantization"),
                NumPrompts = prompts,
                InputLen = inputLength,
                OutputLen = outputLength,
                BatchSize = batch,
                ElapsedSeconds = seconds,
                RequestsPerSecond = prompts / seconds,
                PrefillTokensPerSecond = (double)prompts * inputLength / seconds,
                DecodeTokensPerSecond = (double)prompts * outputLength / seconds,
                TotalTokensPerSecond = (double)prompts * (inputLength + outputLength) / seconds,
                MeanTimeToFirstTokenMs = times.Average(time => Stopwatch.GetElapsedTime(start, time.First).TotalMilliseconds),
            };
            await context.Console.Output.WriteLineAsync(JsonSerializer.Serialize(result, CliJsonContext.Default.ThroughputResult)).ConfigureAwait(false);
        }

        return 0;
    }
}

/// <summary>Outcome of <c>bench throughput</c>.</summary>
internal sealed record ThroughputResult
{
    public required string Model { get; init; }

    public required string Device { get; init; }

    public required string Quantization { get; init; }

    public required int NumPrompts { get; init; }

    public required int InputLen { get; init; }

    public required int OutputLen { get; init; }

    public required int BatchSize { get; init; }

    public required double ElapsedSeconds { get; init; }

    public required double RequestsPerSecond { get; init; }

    /// <summary>Prompt tokens ÷ elapsed time, which prefill and decode share.</summary>
    public required double PrefillTokensPerSecond { get; init; }

    /// <summary>Generated tokens ÷ elapsed time, which prefill and decode share.</summary>
    public required double DecodeTokensPerSecond { get; init; }

    public required double TotalTokensPerSecond { get; init; }

    public required double MeanTimeToFirstTokenMs { get; init; }
}
