using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Ernie.Generation;
using Ernie.Server.Errors;
using Ernie.Server.Hosting;
using Ernie.Server.Metrics;

namespace Ernie.Server.Generation;

/// <summary>Runs the choices of a request and merges what they give into one stream.</summary>
internal static class ChoiceStream
{
    /// <summary>Generates prompts × n choices.</summary>
    /// <param name="server">Engine and tokenizer.</param>
    /// <param name="settings">What was asked for.</param>
    /// <param name="prompts">Prompts, in order; choice k of prompt p has the index p × n + k.</param>
    /// <param name="cancellationToken">Ends all of them.</param>
    /// <returns>Deltas in order per choice, interleaved between choices; each choice ends with a finish reason.</returns>
    public static IAsyncEnumerable<ChoiceDelta> RunAsync(
        ServerContext server, GenerationSettings settings, IReadOnlyList<PromptInput> prompts, CancellationToken cancellationToken)
    {
        int choices = prompts.Count * settings.ChoicesPerPrompt;
        var tally = new RequestTally(server.Metrics, choices);
        return choices == 1
            ? RunOneAsync(server, settings, prompts[0], 0, 0, tally, cancellationToken)
            : RunManyAsync(server, settings, prompts, tally, cancellationToken);
    }

    private static async IAsyncEnumerable<ChoiceDelta> RunManyAsync(
        ServerContext server, GenerationSettings settings, IReadOnlyList<PromptInput> prompts, RequestTally tally, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var merged = Channel.CreateUnbounded<ChoiceDelta>(new UnboundedChannelOptions { SingleReader = true });
        Task all = new ChoiceFeed(
            prompts.Count * settings.ChoicesPerPrompt,
            server.Engine.Info.MaxSequences,
            index => RunOneAsync(server, settings, prompts[index / settings.ChoicesPerPrompt], index, index % settings.ChoicesPerPrompt, tally, stop.Token),
            merged.Writer).RunAsync(stop.Token);
        try
        {
            await foreach (ChoiceDelta delta in merged.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return delta;
        }
        finally
        {
            // One choice that fails, or a reader that leaves, ends the others.
            await stop.CancelAsync().ConfigureAwait(false);
            await all.ConfigureAwait(false);
            tally.Close();
        }
    }

    private static async IAsyncEnumerable<ChoiceDelta> RunOneAsync(
        ServerContext server, GenerationSettings settings, PromptInput prompt, int index, int choice, RequestTally tally, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var decoder = new ChoiceDecoder(server, settings, index);
        GenerationRequest request = settings.ToRequest(server, prompt, choice, index == 0 ? settings.Id : $"{settings.Id}-{index}");
        SequenceTimer timer = server.Metrics.StartSequence();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        string? reason = null;
        bool begun = false;
        IAsyncEnumerator<GenerationEvent> steps = server.Engine.GenerateAsync(request, stop.Token).GetAsyncEnumerator(stop.Token);
        try
        {
            bool more = await FirstAsync(server, steps, stop).ConfigureAwait(false);
            begun = true;
            if (more)
                timer.Begun(steps.Current.CachedTokens);
            for (; more; more = await steps.MoveNextAsync().ConfigureAwait(false))
            {
                GenerationEvent step = steps.Current;
                if (step.Token >= 0)
                    timer.TokenArrived();
                ChoiceDelta delta = decoder.Accept(step);
                reason = delta.FinishReason ?? reason;
                yield return delta;
                if (delta.FinishReason is not null)
                    yield break;
            }

            cancellationToken.ThrowIfCancellationRequested();
            throw new ApiException(StatusCodes.Status500InternalServerError, "server_error", "The engine ended the sequence without saying why.", null, "engine_error");
        }
        finally
        {
            // A stop string ends a sequence that the engine would go on with.
            await stop.CancelAsync().ConfigureAwait(false);
            await steps.DisposeAsync().ConfigureAwait(false);
            // One that was refused has not been a sequence: it counts among the refusals.
            reason ??= cancellationToken.IsCancellationRequested ? "abort" : begun ? "error" : null;
            if (reason is not null)
                timer.Finished(reason);
            if (begun)
                tally.Ended(timer.Tokens);
        }
    }

    /// <summary>Waits for a sequence's first event, no longer than a request may wait.</summary>
    private static async ValueTask<bool> FirstAsync(ServerContext server, IAsyncEnumerator<GenerationEvent> steps, CancellationTokenSource stop)
    {
        ValueTask<bool> first = steps.MoveNextAsync();
        double longest = server.Options.MaxWaitingSeconds;
        if (longest < 0 || first.IsCompleted)
            return await first.ConfigureAwait(false);
        Task<bool> waiting = first.AsTask();
        try
        {
            return await waiting.WaitAsync(TimeSpan.FromSeconds(longest), server.Clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)waiting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw ApiException.Busy($"The request waited {longest:0.###} s, the longest that one may, without a token; try again later.");
        }
    }
}
