using Ernie.Cli.Hosting;
using Ernie.Hosting.Options;

namespace Ernie.Cli.Benchmarks;

/// <summary>Runs many sequences through the engine as fast as it takes them.</summary>
internal sealed class ThroughputCommand : BatchCommand
{
    private static readonly OptionRows s_rows = new(OptionGroup.Command);
    private static readonly Option<int> s_prompts = s_rows.WholeNumber("num-prompts", "Sequences.", 16, 1);
    private static readonly Option<int> s_batchSize = s_rows.WholeNumber("batch-size", "Sequences that run at once at most.", 8, 1, MostSequences);

    private const int WarmupTokens = 8;

    /// <inheritdoc/>
    public override string Name => "bench throughput";

    /// <inheritdoc/>
    public override string Summary => "Runs many sequences in this process and reports tokens per second over all of them.";

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
    protected override Func<BatchRun, CancellationToken, Task<BatchResult>> Prepare(CommandContext context, int batch)
    {
        int prompts = context.Options.Get(s_prompts);
        return (run, cancellationToken) => MeasureAsync(run, prompts, cancellationToken);
    }

    private static async Task<BatchResult> MeasureAsync(BatchRun run, int prompts, CancellationToken cancellationToken)
    {
        // Code is compiled and pages are touched before the clock runs.
        await run.TimeAsync(1, WarmupTokens, cancellationToken).ConfigureAwait(false);
        BatchTimes times = await run.TimeAsync(prompts, run.OutputLength, cancellationToken).ConfigureAwait(false);
        return new ThroughputResult
        {
            NumPrompts = prompts,
            ElapsedSeconds = times.End,
            RequestsPerSecond = prompts / times.End,
            PrefillTokensPerSecond = (double)prompts * run.InputLength / times.End,
            DecodeTokensPerSecond = (double)prompts * run.OutputLength / times.End,
            TotalTokensPerSecond = (double)prompts * (run.InputLength + run.OutputLength) / times.End,
            MeanTimeToFirstTokenMs = times.MeanFirstToken * 1e3,
        };
    }
}
