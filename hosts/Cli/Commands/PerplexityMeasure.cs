using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Cli.Commands;

/// <summary>Mean loss over windows of a token stream.</summary>
internal static class PerplexityMeasure
{
    private const int WindowsAtOnce = 4;

    /// <summary>Cuts the stream into windows of <paramref name="window"/> inputs and asks the engine for the loss of each next token.</summary>
    /// <param name="engine">The engine; a window and its last target must fit its longest sequence.</param>
    /// <param name="ids">The stream.</param>
    /// <param name="window">Inputs per window.</param>
    /// <param name="progress">Told now and then how far it is.</param>
    /// <param name="cancellationToken">Ends the measurement.</param>
    /// <exception cref="InvalidOperationException">The stream has fewer than two tokens, or the engine failed.</exception>
    public static async Task<PerplexityResult> RunAsync(
        IEngine engine, IReadOnlyList<int> ids, int window, Action<string> progress, CancellationToken cancellationToken)
    {
        if (ids.Count < 2)
            throw new InvalidOperationException("There is nothing to predict: the texts have fewer than two tokens.");
        int windows = (ids.Count - 1 + window - 1) / window;
        double[] losses = new double[windows];
        int done = 0;
        // In double and per window, so that neither the order of completion nor rounding moves the result.
        await Parallel.ForAsync(0, windows, new ParallelOptions { MaxDegreeOfParallelism = WindowsAtOnce, CancellationToken = cancellationToken }, async (index, token) =>
        {
            int start = index * window;
            // One token more than the window's inputs: the last input's target. Its own logits are not asked for anything.
            int length = Math.Min(window + 1, ids.Count - start);
            losses[index] = await LossAsync(engine, [.. ids.Skip(start).Take(length)], token).ConfigureAwait(false);
            if (Interlocked.Increment(ref done) % 10 == 0 || done == windows)
                progress($"{done} of {windows} windows");
        }).ConfigureAwait(false);
        double mean = losses.Sum() / (ids.Count - 1);
        return new PerplexityResult(Math.Exp(mean), mean, ids.Count - 1, windows, window);
    }

    private static async Task<double> LossAsync(IEngine engine, int[] tokens, CancellationToken cancellationToken)
    {
        var request = new GenerationRequest { PromptTokens = tokens, MaxTokens = 0, PromptLogprobs = 0, Sampling = SamplingOptions.Greedy };
        double loss = 0;
        int counted = 0;
        await foreach (GenerationEvent step in engine.GenerateAsync(request, cancellationToken).ConfigureAwait(false))
        {
            if (step.FinishReason == FinishReason.Error)
                throw new InvalidOperationException(step.Error ?? "The engine failed on a window.");
            foreach (TokenLogprobs? entry in step.PromptLogprobs ?? [])
            {
                loss -= entry?.Logprob ?? 0;
                counted += entry is null ? 0 : 1;
            }
        }

        return counted == tokens.Length - 1 ? loss : throw new InvalidOperationException($"The engine gave {counted} log-probabilities for {tokens.Length - 1} targets.");
    }
}

/// <summary>Outcome of a perplexity measurement.</summary>
/// <param name="Perplexity">exp of the mean loss.</param>
/// <param name="MeanLoss">Natural logarithm.</param>
/// <param name="Tokens">Losses in the mean.</param>
/// <param name="Windows">Windows.</param>
/// <param name="Window">Inputs per window.</param>
internal sealed record PerplexityResult(double Perplexity, double MeanLoss, int Tokens, int Windows, int Window)
{
    /// <summary>Model.</summary>
    public string? Model { get; init; }

    /// <summary>Device.</summary>
    public string? Device { get; init; }

    /// <summary>Precision asked for.</summary>
    public string? Quantization { get; init; }
}
