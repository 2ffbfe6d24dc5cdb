using System.Threading.Tasks.Sources;
using Ernie.Generation;

namespace Ernie.Engine.Streaming;

/// <summary>
/// The events of one sequence, from the loop to one reader. Writing allocates nothing and never waits; public events are
/// made on the reader's side.
/// </summary>
internal sealed class GenerationStream :
    IAsyncEnumerable<GenerationEvent>, IAsyncEnumerator<GenerationEvent>, IValueTaskSource<bool>, IThreadPoolWorkItem
{
    private const int FirstCapacity = 64;
    private const int NobodyWaits = 0, ReaderWaits = 1;

    private readonly Action _readerLeft;
    private readonly int _topCount;
    private readonly bool _wantsLogprobs;
    private readonly CancellationToken _token;
    private CancellationTokenRegistration _registration, _readerRegistration;
    private CancellationToken _readerToken;
    private EventSegment _writing, _reading;
    private ManualResetValueTaskSourceCore<bool> _source;
    private int _state, _enumerated;
    private bool _first = true, _ended;
    private volatile bool _cancelled, _isAbandoned;

    /// <summary>Makes the stream of a sequence.</summary>
    /// <param name="prompt">What the reader is told of the prompt.</param>
    /// <param name="logprobs">Rivals with each token; null for no log-probabilities.</param>
    /// <param name="readerLeft">Tells the loop that nobody reads a stream any more.</param>
    /// <param name="token">The caller's token.</param>
    public GenerationStream(PromptResults prompt, int? logprobs, Action readerLeft, CancellationToken token)
    {
        Prompt = prompt;
        _readerLeft = readerLeft;
        _token = token;
        _wantsLogprobs = logprobs is not null;
        _topCount = logprobs ?? 0;
        _writing = _reading = new EventSegment(FirstCapacity, _topCount);
    }

    /// <inheritdoc/>
    public GenerationEvent Current { get; private set; } = new();

    /// <summary>What the reader is told of the prompt.</summary>
    public PromptResults Prompt { get; }

    /// <summary>Prompt tokens that came from the cache; set by the loop before the first event.</summary>
    public int CachedTokens { get; set; }

    /// <summary>What failed; set by the loop before an event that ends in an error.</summary>
    public string? Error { get; set; }

    /// <summary>Whether its reader is gone. Set on any thread, seen at the next step boundary.</summary>
    public bool IsAbandoned => _isAbandoned;

    /// <summary>Starts to listen to the caller's token; called once, when the loop knows the sequence.</summary>
    public void Open() => _registration = _token.UnsafeRegister(static s => ((GenerationStream)s!).Cancel(), this); // s is the stream.

    /// <summary>Hands an event to the reader. Called by the loop alone.</summary>
    public void Publish(in TokenEvent value, ReadOnlySpan<int> topTokens, ReadOnlySpan<float> topLogprobs)
    {
        if (!_writing.TryWrite(in value, topTokens, topLogprobs))
        {
            // The reader lags. What it has not read is bounded by the request's own maximum of tokens.
            var larger = new EventSegment(_writing.Capacity * 2, _topCount);
            larger.TryWrite(in value, topTokens, topLogprobs);
            Volatile.Write(ref _writing.Next, larger);
            _writing = larger;
        }

        Wake();
    }

    /// <inheritdoc/>
    public IAsyncEnumerator<GenerationEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _enumerated, 1) != 0)
        {
            throw new InvalidOperationException("A generation can be enumerated once.");
        }

        if (cancellationToken.CanBeCanceled && cancellationToken != _token)
        {
            _readerToken = cancellationToken;
            _readerRegistration = cancellationToken.UnsafeRegister(static s => ((GenerationStream)s!).Cancel(), this); // s is the stream.
        }

        return this;
    }

    /// <inheritdoc/>
    public ValueTask<bool> MoveNextAsync()
    {
        if (_ended)
        {
            return new ValueTask<bool>(false);
        }

        if (_cancelled)
        {
            return ValueTask.FromException<bool>(Cancellation());
        }

        if (TryTake())
        {
            return new ValueTask<bool>(true);
        }

        _source.Reset();
        Interlocked.Exchange(ref _state, ReaderWaits);

        // The loop may have written between the look and the flag: whoever takes the flag down completes the wait.
        if ((_cancelled || HasEvent()) && Interlocked.CompareExchange(ref _state, NobodyWaits, ReaderWaits) == ReaderWaits)
        {
            return MoveNextAsync();
        }

        return new ValueTask<bool>(this, _source.Version);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _registration.Dispose();
        _readerRegistration.Dispose();
        if (!_ended)
        {
            _ended = true;
            Abandon();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Runs on the thread pool, so that a reader's continuation never runs on the loop's thread.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        while (true)
        {
            if (_cancelled)
            {
                _source.SetException(Cancellation());
                return;
            }

            if (TryTake())
            {
                _source.SetResult(true);
                return;
            }

            // The wake-up was for an event that the reader had taken before it began to wait: it goes on waiting.
            Interlocked.Exchange(ref _state, ReaderWaits);
            if (!(_cancelled || HasEvent()) || Interlocked.CompareExchange(ref _state, NobodyWaits, ReaderWaits) != ReaderWaits)
            {
                return;
            }
        }
    }

    /// <inheritdoc/>
    bool IValueTaskSource<bool>.GetResult(short token) => _source.GetResult(token);

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _source.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Cancel()
    {
        _cancelled = true;
        Abandon();
        Wake();
    }

    private void Abandon()
    {
        _isAbandoned = true;
        _readerLeft();
    }

    private OperationCanceledException Cancellation() =>
        new(_token.IsCancellationRequested ? _token : _readerToken);

    private void Wake()
    {
        if (Interlocked.CompareExchange(ref _state, NobodyWaits, ReaderWaits) == ReaderWaits)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private bool HasEvent()
    {
        EventSegment segment = _reading;
        return segment.HasEvent || Volatile.Read(ref segment.Next) is not null;
    }

    private bool TryTake()
    {
        while (true)
        {
            // The link is read before the ring: nothing is written to a ring after its successor was linked.
            EventSegment? next = Volatile.Read(ref _reading.Next);
            if (_reading.TryRead(out TokenEvent value, out (int Token, float Logprob)[] top))
            {
                Current = Create(in value, top);
                return true;
            }

            if (next is null)
            {
                return false;
            }

            _reading = next;
        }
    }

    private GenerationEvent Create(in TokenEvent value, (int Token, float Logprob)[] top)
    {
        bool first = _first;
        bool sound = first && value.FinishReason is not (FinishReason.Error or FinishReason.Aborted);
        _first = false;
        if (value.FinishReason != FinishReason.None)
        {
            _ended = true;
            _registration.Dispose();
            _readerRegistration.Dispose();
        }

        return new GenerationEvent
        {
            Token = value.Token,
            FinishReason = value.FinishReason,
            StopToken = value.StopToken >= 0 ? value.StopToken : null,
            Logprobs = _wantsLogprobs && value.Token >= 0 ? new TokenLogprobs(value.Token, value.Logprob, value.Rank, top) : null,
            CachedTokens = first ? CachedTokens : 0,
            PromptLogprobs = sound ? Prompt.CreateLogprobs() : null,
            Pooled = sound ? Prompt.CreatePooled() : null,
            Error = value.FinishReason == FinishReason.Error ? Error : null,
        };
    }
}
