using System.Numerics;

namespace Ernie.CachePolicies.S3Fifo;

/// <summary>Remembers the hashes of the last pages given up, as many as the pool has pages.</summary>
/// <remarks>A table without chains: a newer hash may displace an older one of its slot, which only forgets it early.</remarks>
internal sealed class GhostQueue
{
    private readonly ulong[] _hashes;
    private readonly long[] _addedAt;
    private readonly int _capacity;
    private long _added;

    public GhostQueue(int capacity)
    {
        _capacity = capacity;
        uint slots = BitOperations.RoundUpToPowerOf2((uint)capacity * 2);
        _hashes = new ulong[slots];
        _addedAt = new long[slots];
    }

    public void Add(ulong hash)
    {
        int slot = Slot(hash);
        (_hashes[slot], _addedAt[slot]) = (hash, ++_added);
    }

    public bool Contains(ulong hash)
    {
        int slot = Slot(hash);
        return _hashes[slot] == hash && _addedAt[slot] > 0 && _addedAt[slot] > _added - _capacity;
    }

    private int Slot(ulong hash) => (int)hash & (_hashes.Length - 1);
}
