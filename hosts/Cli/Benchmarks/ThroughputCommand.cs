using Ernie.Cli.Hosting;
using Ernie.Hosting.Options;

namespace Ernie.Cli.Benchmarks;

/// <summary>Runs many sequences through the engine as fast as it takes them.</summary>
internal sealed class ThroughputCommand : BatchCommand
{
    private const int WarmupTokens = 8;

    /// <inheritdoc/>
    public override string Name => "bench throughput";

    /// <inheritdoc/>
    public override string Summary => "Runs many sequences in this process and reports tokens per second over all of them.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionDefinition> Options { get; } =
    [
        .. Lengths,
        new("num-prompts", OptionGroup.Command, OptionKind.WholeNumber, "Sequences.") { Default = "16" },
        new("batch-size", OptionGroup.Command, OptionKind.WholeNumber, "Sequences that run at once at most.") { Default = "8" },
        .. OptionTable.WithoutServer,
    ];

    /// <inheritdoc/>
    protected override Func<BatchRun, CancellationToken, Task<BatchResult>> Prepare(CommandContext context, int batch)
    {
        int prompts = context.Options.WholeNumber("num-prompts", 1)!.Value; // The table has a default.
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
