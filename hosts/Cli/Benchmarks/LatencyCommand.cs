using Ernie.Cli.Hosting;
using Ernie.Hosting.Options;

namespace Ernie.Cli.Benchmarks;

/// <summary>Times one batch from prompt to last token.</summary>
internal sealed class LatencyCommand : BatchCommand
{
    private static readonly OptionRows s_rows = new(OptionGroup.Command);
    private static readonly Option<int> s_batchSize = s_rows.WholeNumber("batch-size", "Sequences that start together.", 1, 1, MostSequences);
    private static readonly Option<int> s_warmup = s_rows.WholeNumber("warmup", "Rounds before the measured ones.", 1, 0);
    private static readonly Option<int> s_iterations = s_rows.WholeNumber("iterations", "Measured rounds; their median is reported.", 3, 1);

    /// <inheritdoc/>
    public override string Name => "bench latency";

    /// <inheritdoc/>
    public override string Summary => "Times a batch in this process: prompt tokens per second to the first token, and tokens per second after it.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionDefinition> Options { get; } =
    [
        .. Lengths,
        .. s_rows.All,
        .. OptionTable.WithoutServer,
    ];

    /// <inheritdoc/>
    protected override Option<int> BatchSize => s_batchSize;

    /// <inheritdoc/>
    protected override int LeastOutputLength => 2;

    /// <inheritdoc/>
    protected override Func<BatchRun, CancellationToken, Task<BatchResult>> Prepare(CommandContext context, int batch)
    {
        int warmup = context.Options.Get(s_warmup);
        int iterations = context.Options.Get(s_iterations);
        return (run, cancellationToken) => MeasureAsync(run, batch, warmup, iterations, context.Console, cancellationToken);
    }

    private static async Task<BatchResult> MeasureAsync(
        BatchRun run, int batch, int warmup, int iterations, CommandConsole console, CancellationToken cancellationToken)
    {
        var rounds = new List<BatchTimes>();
        for (int round = 0; round < warmup + iterations; round++)
        {
            BatchTimes times = await run.TimeAsync(batch, run.OutputLength, cancellationToken).ConfigureAwait(false);
            await console.Error.WriteLineAsync(
                $"{(round < warmup ? "warm-up" : "measured")}: first token after {times.LastFirstToken * 1e3:0.0} ms, the rest in {(times.End - times.LastFirstToken) * 1e3:0.0} ms").ConfigureAwait(false);
            if (round >= warmup)
                rounds.Add(times);
        }

        double first = BatchRun.Median(rounds.Select(times => times.LastFirstToken));
        double rest = BatchRun.Median(rounds.Select(times => times.End - times.LastFirstToken));
        return new LatencyResult
        {
            Iterations = iterations,
            PrefillTokensPerSecond = batch * run.InputLength / first,
            DecodeTokensPerSecond = batch * (run.OutputLength - 1) / rest,
            TimeToFirstTokenMs = first * 1e3,
            TimePerOutputTokenMs = rest * 1e3 / (run.OutputLength - 1),
            LatencyMs = (first + rest) * 1e3,
        };
    }
}
