using System.Diagnostics;
using Ernie.Generation;

namespace Ernie.Cli.Benchmarks;

/// <summary>Times one request of a measurement.</summary>
internal static class RequestTimer
{
    /// <summary>Runs a request to its end.</summary>
    /// <returns>Timestamps (<see cref="Stopwatch.GetTimestamp"/>) of the first token and of the end.</returns>
    /// <exception cref="InvalidOperationException">The engine failed on the request or gave another number of tokens than asked for.</exception>
    public static async Task<(long First, long Last)> TimeAsync(IEngine engine, GenerationRequest request, CancellationToken cancellationToken)
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
