using System.Text.Json;
using Ernie.Cli.Hosting;
using Ernie.Hosting.Options;
using Ernie.Hosting.Options.Rows;

namespace Ernie.Cli.Benchmarks;

/// <summary>A measurement of sequences of equal length in this process.</summary>
internal abstract class BatchCommand : ICommand
{
    /// <summary>Sequences that an engine can run at once.</summary>
    protected const int MostSequences = 4096;

    private static readonly OptionRows s_rows = new(OptionGroup.Command);
    private static readonly Option<int> s_inputLength = s_rows.WholeNumber("input-len", "Prompt tokens per sequence.", 512, 1);
    private static readonly Option<int> s_outputLength = s_rows.WholeNumber("output-len", "Tokens to generate per sequence.", 64, 1);

    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public abstract string Summary { get; }

    /// <inheritdoc/>
    public abstract IReadOnlyList<OptionDefinition> Options { get; }

    /// <summary>What all of them take before options of their own.</summary>
    protected static IReadOnlyList<OptionDefinition> Lengths => s_rows.All;

    /// <summary>Sequences that run at once.</summary>
    protected abstract Option<int> BatchSize { get; }

    /// <summary>Fewest tokens that make a measurement.</summary>
    protected virtual int LeastOutputLength => 1;

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        int inputLength = context.Options.Get(s_inputLength);
        int outputLength = context.Options.Get(s_outputLength);
        if (outputLength < LeastOutputLength)
            throw new OptionException($"--{s_outputLength.Name} is {outputLength} and must be at least {LeastOutputLength} for {Name}.");
        int batch = context.Options.Get(BatchSize);
        Func<BatchRun, CancellationToken, Task<BatchResult>> measurement = Prepare(context, batch);
        ModelSession session = await context.OpenAsync(options => Limit(options, inputLength + outputLength, batch), cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            var run = new BatchRun(session.Host.Engine, inputLength, outputLength);
            BatchResult result = await measurement(run, cancellationToken).ConfigureAwait(false) with
            {
                Model = run.Engine.Info.ModelName,
                Device = run.Engine.Info.Device,
                Quantization = context.Options.Get(ModelRows.Quantization),
                InputLen = inputLength,
                OutputLen = outputLength,
                BatchSize = batch,
            };
            await context.Console.Output.WriteLineAsync(JsonSerializer.Serialize(result, result.GetType(), CliJsonContext.Default)).ConfigureAwait(false);
        }

        return 0;
    }

    /// <summary>Reads options of its own, before a model is loaded for nothing.</summary>
    /// <param name="context">The options and the console.</param>
    /// <param name="batch">Sequences that run at once at most.</param>
    /// <returns>The measurement; its result needs not say what it was of.</returns>
    protected abstract Func<BatchRun, CancellationToken, Task<BatchResult>> Prepare(CommandContext context, int batch);

    // The engine holds what the measurement needs, where the user set no limit: memory is then no reason to fail.
    private static OptionSet Limit(OptionSet options, int length, int sequences) => options
        .With(CapacityRows.PrefixCaching, false)
        .With(CapacityRows.MaxModelLength, options.Get(CapacityRows.MaxModelLength) ?? length)
        .With(CapacityRows.MaxSequences, Math.Min(options.Get(CapacityRows.MaxSequences), Math.Max(1, sequences)));
}
