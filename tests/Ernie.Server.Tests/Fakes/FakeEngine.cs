using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Ernie.Generation;

namespace Ernie.Server.Tests.Fakes;

/// <summary>
/// Answers with scripted tokens, keeping the engine's contract: end and stop tokens, max_tokens, min_tokens, log-probabilities,
/// cancellation, a buffer so that slow readers hold nobody up.
/// </summary>
internal sealed class FakeEngine : IEngine
{
    private static readonly int[] s_story = [.. new FakeTokenizer().Encode("Once upon a time the king the queen hello world")];
    private int _active;
    private int _cancelled;
    private long _prompts;
    private long _generated;

    /// <summary>The tokens of a request, before end tokens and limits are applied; endless ones are cut by max_tokens.</summary>
    public Func<GenerationRequest, IEnumerable<int>> Script { get; set; } = Story;

    /// <summary>Awaited before each event, with the number of the event.</summary>
    public Func<GenerationRequest, int, CancellationToken, Task>? Before { get; set; }

    /// <summary>Rejection of the next requests.</summary>
    public Func<GenerationRequest, RequestRejectedException?> Reject { get; set; } = _ => null;

    /// <summary>Number of the event that fails with <see cref="FinishReason.Error"/>.</summary>
    public int? FailAt { get; set; }

    public int CachedTokens { get; set; }

    public ConcurrentQueue<GenerationRequest> Requests { get; } = [];

    public int Active => Volatile.Read(ref _active);

    public int Cancelled => Volatile.Read(ref _cancelled);

    public int MaxModelLength { get; set; } = 256;

    public bool StepInFlight { get; set; }

    public long Steps { get; set; }

    public bool Paused { get; private set; }

    public EngineInfo Info => new()
    {
        ModelName = "fake-model",
        Device = "none",
        MaxModelLength = MaxModelLength,
        VocabularySize = new FakeTokenizer().VocabularySize,
        HiddenSize = 8,
        MaxSequences = 64,
        PageCount = 128,
        TokensPerPage = 64,
        Samplers = ["standard", "typical"],
        CachePolicy = "radix-lru",
    };

    public async IAsyncEnumerable<GenerationEvent> GenerateAsync(GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (Reject(request) is { } rejected)
            throw rejected;
        Requests.Enqueue(request);
        Interlocked.Increment(ref _active);
        Interlocked.Add(ref _prompts, request.PromptTokens.Count);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var events = Channel.CreateUnbounded<GenerationEvent>();
        Task producing = ProduceAsync(request, events.Writer, stop.Token);
        bool ended = false;
        try
        {
            await foreach (GenerationEvent step in events.Reader.ReadAllAsync(cancellationToken))
            {
                ended = step.FinishReason != FinishReason.None;
                yield return step;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await producing;
            if (!ended)
                Interlocked.Increment(ref _cancelled);
            Interlocked.Decrement(ref _active);
        }
    }

    public EngineStatistics GetStatistics() => new()
    {
        Running = Active,
        PagesInUse = Active,
        PagesFree = 128 - Active,
        PromptTokens = Interlocked.Read(ref _prompts),
        GeneratedTokens = Interlocked.Read(ref _generated),
        CachedTokens = CachedTokens,
        StepInFlight = StepInFlight,
        Steps = Steps,
    };

    public void Pause() => Paused = true;

    public void Resume() => Paused = false;

    public Task<int> AbortAllAsync() => Task.FromResult(Active);

    public Task<int> ResetPrefixCacheAsync() => Task.FromResult(7);

    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        while (Active > 0)
            await Task.Delay(5, cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A text that depends on prompt, seed and choice, and ends with eos.</summary>
    private static IEnumerable<int> Story(GenerationRequest request)
    {
        int shift = (int)((request.Sampling.Seed ?? 0) + (ulong)(request.ChoiceIndex * 3)) % s_story.Length;
        return [.. s_story[shift..], .. s_story[..shift], FakeTokenizer.Eos];
    }

    private async Task ProduceAsync(GenerationRequest request, ChannelWriter<GenerationEvent> events, CancellationToken cancellationToken)
    {
        try
        {
            int number = 0;
            foreach (GenerationEvent step in Events(request))
            {
                if (Before is { } before)
                    await before(request, number, cancellationToken);
                cancellationToken.ThrowIfCancellationRequested();
                if (step.Token >= 0)
                    Interlocked.Increment(ref _generated);
                GenerationEvent sent = number == FailAt ? new GenerationEvent { FinishReason = FinishReason.Error, Error = "scripted failure" } : step;
                await events.WriteAsync(sent, cancellationToken);
                number++;
                if (sent.FinishReason != FinishReason.None)
                    break;
            }

            events.Complete();
        }
        catch (OperationCanceledException)
        {
            events.Complete();
        }
        catch (InvalidOperationException exception)
        {
            events.Complete(exception);
        }
    }

    private IEnumerable<GenerationEvent> Events(GenerationRequest request)
    {
        int count = 0;
        if (request.MaxTokens == 0)
        {
            yield return First(request, new GenerationEvent { FinishReason = FinishReason.Length });
            yield break;
        }

        foreach (int token in Script(request))
        {
            bool isEnd = request.EndTokens.Contains(token) && !request.IgnoreEndTokens;
            bool isStop = request.StopTokens.Contains(token);
            // A masked token is not drawn: the next most probable one is.
            if ((isEnd || isStop) && count < request.Sampling.MinTokens)
                continue;
            count++;
            FinishReason reason = isEnd || isStop ? FinishReason.Stop : count == request.MaxTokens ? FinishReason.Length : FinishReason.None;
            var step = new GenerationEvent
            {
                Token = token,
                FinishReason = reason,
                StopToken = isStop && !isEnd ? token : null,
                Logprobs = request.Logprobs is { } top ? Logprobs(token, top) : null,
            };
            yield return count == 1 ? First(request, step) : step;
            if (reason != FinishReason.None)
                yield break;
        }
    }

    private GenerationEvent First(GenerationRequest request, GenerationEvent step) => step with
    {
        CachedTokens = CachedTokens,
        PromptLogprobs = request.PromptLogprobs is { } top ? [null, .. request.PromptTokens.Skip(1).Select(token => Logprobs(token, top))] : null,
    };

    private static TokenLogprobs Logprobs(int token, int top) =>
        new(token, -0.25f, 1, [.. Enumerable.Range(0, top).Select(index => (index == 0 ? token : FakeTokenizer.FirstByte + 'a' + index, -0.25f - index))]);
}
