using System.Text.Json;
using Ernie.Cli.Hosting;
using Ernie.Hosting.Options;

namespace Ernie.Cli.Benchmarks;

/// <summary>A measurement of sequences of equal length in this process.</summary>
internal abstract class BatchCommand : ICommand
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public abstract string Summary { get; }

    /// <inheritdoc/>
    public abstract IReadOnlyList<OptionDefinition> Options { get; }

    /// <summary>What all of them take before options of their own.</summary>
    protected static IReadOnlyList<OptionDefinition> Lengths { get; } =
    [
        new("input-len", OptionGroup.Command, OptionKind.WholeNumber, "Prompt tokens per sequence.") { Default = "512" },
        new("output-len", OptionGroup.Command, OptionKind.WholeNumber, "Tokens to generate per sequence.") { Default = "64" },
    ];

    /// <summary>Fewest tokens that make a measurement.</summary>
    protected virtual int LeastOutputLength => 1;

    /// <inheritdoc/>
    public async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        // The table has defaults for all of them.
        int inputLength = context.Options.WholeNumber("input-len", 1)!.Value;
        int outputLength = context.Options.WholeNumber("output-len", LeastOutputLength)!.Value;
        int batch = context.Options.WholeNumber("batch-size", 1, 4096)!.Value;
        Func<BatchRun, CancellationToken, Task<BatchResult>> measurement = Prepare(context, batch);
        ModelSession session = await context.OpenAsync(options => Limit(options, inputLength + outputLength, batch), cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            var run = new BatchRun(session.Host.Engine, inputLength, outputLength);
            BatchResult result = await measurement(run, cancellationToken).ConfigureAwait(false) with
            {
                Model = run.Engine.Info.ModelName,
                Device = run.Engine.Info.Device,
                Quantization = context.Options.RequiredText("quantization"),
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
    private static void Limit(EngineOptions options, int length, int sequences)
    {
        options.EnablePrefixCaching = false;
        options.MaxModelLength ??= length;
        options.MaxSequences = Math.Min(options.MaxSequences, Math.Max(1, sequences));
    }
}
