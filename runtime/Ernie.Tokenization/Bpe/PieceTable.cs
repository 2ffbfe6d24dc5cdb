using System.Numerics;
using System.Runtime.CompilerServices;

namespace Ernie.Tokenization.Bpe;

/// <summary>Finds a piece by its characters: open addressing over a polynomial hash that concatenates in constant time. Filled once, then immutable.</summary>
/// <remarks>
/// A vocabulary is loaded before tiered compilation optimises anything, and unoptimised code takes four times as long over 100,000
/// pieces. The methods that run once per piece are therefore compiled with full optimisation at once.
/// </remarks>
internal sealed class PieceTable
{
    // Any odd number whose bits look random will do; this is 2^64 divided by the golden ratio.
    private const ulong Multiplier = 0x9E37_79B9_7F4A_7C15;

    private readonly (uint Tag, int IdPlusOne)[] _slots;
    private readonly int _shift;
    private readonly char[] _characters;
    private readonly int[] _starts;
    private readonly int[] _lengths;
    private readonly List<ulong> _powers = [1];
    private int _used;

    /// <summary>Creates an empty table.</summary>
    /// <param name="idCount">Ids are below this.</param>
    /// <param name="characterCount">Room for the characters of all pieces, in UTF-16 units.</param>
    public PieceTable(int idCount, int characterCount)
    {
        int slotCount = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, idCount * 2L));
        _slots = new (uint, int)[slotCount];
        _shift = 64 - BitOperations.Log2((uint)slotCount);
        _characters = new char[characterCount];
        _starts = new int[idCount];
        _lengths = new int[idCount];
    }

    /// <summary>Length of the longest piece in UTF-16 units.</summary>
    public int MaximumLength { get; private set; }

    /// <summary>Neighbouring characters that stand side by side in some piece. Between any other two no merge is possible.</summary>
    public BigramSet Bigrams { get; } = new();

    /// <summary>The hash of a string that grows by one UTF-16 unit at its end; the empty string's is 0.</summary>
    public static ulong Extend(ulong hash, char next) => (hash * Multiplier) + next + 1;

    /// <summary>The hash of a string.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ulong HashOf(ReadOnlySpan<char> text)
    {
        ulong hash = 0;
        foreach (char next in text) hash = Extend(hash, next);
        return hash;
    }

    /// <summary>The hash of two strings one behind the other.</summary>
    /// <param name="leftHash">Hash of the left one.</param>
    /// <param name="rightHash">Hash of the right one.</param>
    /// <param name="rightLength">Length of the right one, at most <see cref="MaximumLength"/>.</param>
    public ulong Concatenate(ulong leftHash, ulong rightHash, int rightLength) => (leftHash * _powers[rightLength]) + rightHash;

    /// <summary>The characters of a piece.</summary>
    public ReadOnlySpan<char> Text(int id) => _characters.AsSpan(_starts[id], _lengths[id]);

    /// <summary>Adds a piece.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="text">Its characters, at least one.</param>
    /// <returns>False when a piece of this spelling is there already.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryAdd(int id, ReadOnlySpan<char> text)
    {
        ulong hash = HashOf(text);
        if (Find(text, hash) >= 0) return false;
        text.CopyTo(_characters.AsSpan(_used));
        _starts[id] = _used;
        _lengths[id] = text.Length;
        _used += text.Length;
        int slot = SlotOf(hash);
        while (_slots[slot].IdPlusOne != 0) slot = (slot + 1) & (_slots.Length - 1);
        _slots[slot] = ((uint)hash, id + 1);
        MaximumLength = Math.Max(MaximumLength, text.Length);
        while (_powers.Count <= MaximumLength) _powers.Add(_powers[^1] * Multiplier);
        Bigrams.AddFrom(text);
        return true;
    }

    /// <summary>Finds a piece.</summary>
    /// <param name="text">Its characters.</param>
    /// <param name="hash">Their hash.</param>
    /// <returns>Its id, or −1.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Find(ReadOnlySpan<char> text, ulong hash)
    {
        int slot = SlotOf(hash);
        while (true)
        {
            (uint tag, int idPlusOne) = _slots[slot];
            if (idPlusOne == 0) return -1;
            if (tag == (uint)hash && text.SequenceEqual(Text(idPlusOne - 1))) return idPlusOne - 1;
            slot = (slot + 1) & (_slots.Length - 1);
        }
    }

    // The high bits of the product depend on all bits of the hash; the tag takes the low ones.
    private int SlotOf(ulong hash) => (int)((hash ^ (hash >> 29)) * Multiplier >> _shift);
}
