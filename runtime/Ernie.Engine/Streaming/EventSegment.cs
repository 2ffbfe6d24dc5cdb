namespace Ernie.Engine.Streaming;

/// <summary>A ring of events between one writer and one reader, neither of which waits for the other.</summary>
/// <remarks>While the reader keeps up, one ring is used over and over. When it is full the writer links a larger one.</remarks>
internal sealed class EventSegment
{
    private readonly TokenEvent[] _events;
    private readonly int[] _topTokens;
    private readonly float[] _topLogprobs;
    private readonly int _topCount;
    private int _head, _tail;

    /// <summary>Makes a ring.</summary>
    /// <param name="capacity">Events; a power of two.</param>
    /// <param name="topCount">Rivals kept with each event.</param>
    public EventSegment(int capacity, int topCount)
    {
        _events = new TokenEvent[capacity];
        _topCount = topCount;
        _topTokens = new int[capacity * topCount];
        _topLogprobs = new float[capacity * topCount];
    }

    /// <summary>Events it holds at most.</summary>
    public int Capacity => _events.Length;

    /// <summary>The ring that follows, once this one was full.</summary>
    public EventSegment? Next;

    /// <summary>Whether an event waits to be read.</summary>
    public bool HasEvent => Volatile.Read(ref _tail) != _head;

    /// <summary>Writes an event; false when the ring is full.</summary>
    public bool TryWrite(in TokenEvent value, ReadOnlySpan<int> topTokens, ReadOnlySpan<float> topLogprobs)
    {
        int tail = _tail;
        if (tail - Volatile.Read(ref _head) == _events.Length)
        {
            return false;
        }

        int index = tail & (_events.Length - 1);
        _events[index] = value;
        topTokens.CopyTo(_topTokens.AsSpan(index * _topCount, _topCount));
        topLogprobs.CopyTo(_topLogprobs.AsSpan(index * _topCount, _topCount));
        Volatile.Write(ref _tail, tail + 1);
        return true;
    }

    /// <summary>Reads an event; false when the ring is empty.</summary>
    public bool TryRead(out TokenEvent value, out (int Token, float Logprob)[] top)
    {
        int head = _head;
        if (Volatile.Read(ref _tail) == head)
        {
            value = default;
            top = [];
            return false;
        }

        int index = head & (_events.Length - 1);
        value = _events[index];
        top = [];
        if (_topCount > 0 && value.Token >= 0)
        {
            top = new (int, float)[_topCount];
            for (int i = 0; i < _topCount; i++)
            {
                top[i] = (_topTokens[(index * _topCount) + i], _topLogprobs[(index * _topCount) + i]);
            }
        }

        Volatile.Write(ref _head, head + 1);
        return true;
    }
}
