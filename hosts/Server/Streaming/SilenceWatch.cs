using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Ernie.Server.Streaming;

/// <summary>
/// Waits for the next element of a source or for a silence, whichever comes first, without allocating per element: tens of thousands
/// of tokens pass here each second. One timer ticks for the whole stream and looks at the time of the last element.
/// </summary>
internal sealed class SilenceWatch : IValueTaskSource<bool>, IDisposable
{
    private const int NobodyWaits = 0, StreamWaits = 1;
    private const int TicksPerSilence = 4;

    private readonly TimeSpan _silence;
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;
    private readonly Action _nextCame;
    private ManualResetValueTaskSourceCore<bool> _wait;
    private ConfiguredValueTaskAwaitable<bool>.ConfiguredValueTaskAwaiter _next;
    private long _heardAt;
    private int _state;
    private volatile bool _hasCome;

    /// <summary>Starts to listen.</summary>
    /// <param name="silence">Time without an element that counts as silence; noticed at most a quarter later.</param>
    /// <param name="clock">Clock of the silence.</param>
    public SilenceWatch(TimeSpan silence, TimeProvider clock)
    {
        _silence = silence;
        _clock = clock;
        _heardAt = clock.GetTimestamp();
        _nextCame = NextCame;
        TimeSpan tick = TimeSpan.FromMilliseconds(Math.Max(1, silence.TotalMilliseconds / TicksPerSilence));
        _timer = clock.CreateTimer(static watch => ((SilenceWatch)watch!).Tick(), this, tick, tick); // The state is the watch.
    }

    /// <summary>Takes over the wait for an element that has not come yet.</summary>
    /// <param name="next">What the source returned.</param>
    public void Watch(ValueTask<bool> next)
    {
        _hasCome = false;
        _next = next.ConfigureAwait(false).GetAwaiter();
        _next.UnsafeOnCompleted(_nextCame);
    }

    /// <summary>Waits for the element that is watched, or for a silence.</summary>
    /// <returns>Whether the element has come; then <see cref="Result"/> has it.</returns>
    public ValueTask<bool> WaitAsync()
    {
        if (_hasCome)
            return new ValueTask<bool>(true);
        _wait.Reset();
        Interlocked.Exchange(ref _state, StreamWaits);
        // It may have come between the look and the flag: whoever takes the flag down ends the wait.
        if (_hasCome && Interlocked.CompareExchange(ref _state, NobodyWaits, StreamWaits) == StreamWaits)
            return new ValueTask<bool>(true);
        return new ValueTask<bool>(this, _wait.Version);
    }

    /// <summary>The source's answer; called once, after it has come.</summary>
    public bool Result()
    {
        Heard();
        return _next.GetResult();
    }

    /// <summary>Says that something was sent just now.</summary>
    public void Heard() => Volatile.Write(ref _heardAt, _clock.GetTimestamp());

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    /// <inheritdoc/>
    bool IValueTaskSource<bool>.GetResult(short token) => _wait.GetResult(token);

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _wait.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    private void NextCame()
    {
        _hasCome = true;
        if (Interlocked.CompareExchange(ref _state, NobodyWaits, StreamWaits) == StreamWaits)
            _wait.SetResult(true);
    }

    private void Tick()
    {
        if (_clock.GetElapsedTime(Volatile.Read(ref _heardAt)) >= _silence
            && Interlocked.CompareExchange(ref _state, NobodyWaits, StreamWaits) == StreamWaits)
            _wait.SetResult(false);
    }
}
