using System.Runtime.InteropServices;
using Ernie.Engine.Sampling;

namespace Ernie.Engine.Paging;

/// <summary>Request slots: which are free, and each slot's tokens and token history.</summary>
/// <remarks>
/// Tokens of all slots are one native block that the system commits as it is written, so that a slot may grow to the
/// model's length without a reallocation and a short request costs a page.
/// </remarks>
internal sealed unsafe class SequenceSlots : IDisposable
{
    private readonly int[] _free;
    private readonly TokenHistory[] _histories;
    private readonly int _maxLength;
    private int* _tokens;

    /// <summary>Reserves memory.</summary>
    /// <param name="slotCount">Slots.</param>
    /// <param name="maxLength">Tokens of the longest sequence.</param>
    /// <param name="vocabularySize">Token ids.</param>
    public SequenceSlots(int slotCount, int maxLength, int vocabularySize)
    {
        _free = new int[slotCount];
        _histories = new TokenHistory[slotCount];
        for (int i = 0; i < slotCount; i++)
        {
            _free[i] = slotCount - 1 - i;
            _histories[i] = new TokenHistory(vocabularySize);
        }

        FreeCount = slotCount;
        _maxLength = maxLength;
        _tokens = (int*)NativeMemory.AllocZeroed((nuint)slotCount * (nuint)maxLength, sizeof(int));
    }

    /// <summary>Slots nobody has.</summary>
    public int FreeCount { get; private set; }

    /// <summary>The slot that <see cref="Take"/> gives out next; there is one.</summary>
    public int NextFree => _free[FreeCount - 1];

    /// <summary>Takes a slot.</summary>
    public int Take() => _free[--FreeCount];

    /// <summary>Gives a slot back.</summary>
    public void Return(int slot)
    {
        _histories[slot].Clear();
        _free[FreeCount++] = slot;
    }

    /// <summary>The first tokens of a slot's sequence.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="length">Tokens wanted.</param>
    public Span<int> Tokens(int slot, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)_maxLength);
        return new Span<int>(_tokens + ((long)slot * _maxLength), length);
    }

    /// <summary>What a slot's sequence has generated and seen.</summary>
    public TokenHistory History(int slot) => _histories[slot];

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        NativeMemory.Free(_tokens);
        _tokens = null;
        foreach (TokenHistory history in _histories)
        {
            history.Dispose();
        }
    }
}
