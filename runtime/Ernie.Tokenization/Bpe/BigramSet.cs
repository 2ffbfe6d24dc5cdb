using System.Runtime.CompilerServices;
using System.Text;

namespace Ernie.Tokenization.Bpe;

/// <summary>Pairs of neighbouring code points: a bit table for ASCII, a hash set for the rest.</summary>
internal sealed class BigramSet
{
    private readonly ulong[] _ascii = new ulong[128 * 128 / 64];
    private ulong[] _slots = new ulong[1024];
    private int _count;

    /// <summary>Adds every neighbouring pair of a well-formed text.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void AddFrom(ReadOnlySpan<char> text)
    {
        int previous = -1;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (previous >= 0) Add(previous, rune.Value);
            previous = rune.Value;
        }
    }

    /// <summary>Whether the pair was added.</summary>
    public bool Contains(int left, int right)
    {
        if ((left | right) < 0x80) return (_ascii[(left << 1) | (right >> 6)] >> (right & 63) & 1) != 0;
        ulong key = KeyOf(left, right);
        int slot = SlotOf(key);
        while (_slots[slot] != 0)
        {
            if (_slots[slot] == key) return true;
            slot = (slot + 1) & (_slots.Length - 1);
        }

        return false;
    }

    private void Add(int left, int right)
    {
        if ((left | right) < 0x80)
        {
            _ascii[(left << 1) | (right >> 6)] |= 1UL << (right & 63);
            return;
        }

        if (_count * 2 >= _slots.Length) Grow();
        Insert(KeyOf(left, right));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Insert(ulong key)
    {
        int slot = SlotOf(key);
        while (_slots[slot] != 0)
        {
            if (_slots[slot] == key) return;
            slot = (slot + 1) & (_slots.Length - 1);
        }

        _slots[slot] = key;
        _count++;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Grow()
    {
        ulong[] old = _slots;
        _slots = new ulong[old.Length * 4];
        _count = 0;
        foreach (ulong key in old)
            if (key != 0) Insert(key);
    }

    // Code points have 21 bits; the high bit keeps the key of (0, 0) apart from an empty slot.
    private static ulong KeyOf(int left, int right) => (1UL << 63) | ((ulong)(uint)left << 21) | (uint)right;

    private int SlotOf(ulong key) => (int)(key * 0x9E37_79B9_7F4A_7C15 >> 32) & (_slots.Length - 1);
}
