using System.Diagnostics;
using Ernie.Generation;
using Ernie.Sampling;

namespace Ernie.Cli.Benchmarks;

/// <summary>Runs sequences of random ids, the same in every process, so that two runs measure the same work.</summary>
/// <param name="engine">What is measured.</param>
/// <param name="inputLength">Prompt tokens of a sequence.</param>
/// <param name="outputLength">Tokens that it generates.</param>
internal sealed class BatchRun(IEngine engine, int inputLength, int outputLength)
{
    // Away from the first ids, which are control tokens and bytes.
    private const int FirstId = 300;

    private readonly Random _random = new(20251);

    /// <summary>What is measured.</summary>
    public IEngine Engine => engine;

    /// <summary>Prompt tokens of a sequence.</summary>
    public int InputLength => inputLength;

    /// <summary>Tokens that a sequence generates, greedily and past any end token.</summary>
    public int OutputLength => outputLength;

    /// <summary>Begins sequences together and waits for all.</summary>
    /// <param name="sequences">Sequences; those beyond the engine's limit wait for their turn.</param>
    /// <param name="mostTokens">Tokens of each at most.</param>
    /// <param name="cancellationToken">Ends the measurement.</param>
    /// <exception cref="InvalidOperationException">The engine failed on a request or gave another number of tokens than asked for.</exception>
    public async Task<BatchTimes> TimeAsync(int sequences, int mostTokens, CancellationToken cancellationToken)
    {
        GenerationRequest[] requests = [.. Enumerable.Range(0, sequences).Select(_ => CreateRequest(Math.Min(mostTokens, outputLength)))];
        long start = Stopwatch.GetTimestamp();
        (long First, long Last)[] times = await Task.WhenAll(requests.Select(request => TimeAsync(request, cancellationToken))).ConfigureAwait(false);
        return new BatchTimes(times.Average(time => Seconds(time.First)), times.Max(time => Seconds(time.First)), times.Max(time => Seconds(time.Last)));

        double Seconds(long timestamp) => Stopwatch.GetElapsedTime(start, timestamp).TotalSeconds;
    }

    /// <summary>The middle value.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private GenerationRequest CreateRequest(int tokens)
    {
        int vocabulary = engine.Info.VocabularySize, first = Math.Min(FirstId, vocabulary - 1);
        int[] prompt = [.. Enumerable.Range(0, inputLength).Select(_ => _random.Next(first, vocabulary))];
        return new GenerationRequest { PromptTokens = prompt, MaxTokens = tokens, IgnoreEndTokens = true, Sampling = SamplingOptions.Greedy };
    }

    private async Task<(long First, long Last)> TimeAsync(GenerationRequest request, CancellationToken cancellationToken)
    {
        long first = 0;
        int tokens = 0;
        await foreach (GenerationEvent step in engine.GenerateAsync(request, cancellationToken).ConfigureAwait(false))
        {
            if (step.FinishReason == FinishReason.Error)
                throw new InvalidOperationException(step.Error ?? "The engine failed on the request.");
            if (step.Token >= 0 && tokens++ == 0)
                first = Stopwatch.GetTimestamp();
        }

        return tokens == request.MaxTokens
            ? (first, Stopwatch.GetTimestamp())
            : throw new InvalidOperationException($"The engine gave {tokens} of {request.MaxTokens} tokens.");
    }
}
