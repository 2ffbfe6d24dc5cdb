namespace Ernie.Caching.Toolkit;

/// <summary>
/// The cached pages as a tree: a page's place is its parent page and its own tokens. Arrays indexed by page, and a hash table
/// over (salt, all tokens up to the page's end); a match compares parent and tokens, so equal hashes cannot mix texts up.
/// </summary>
public sealed class PrefixPages
{
    /// <summary>Parent of first pages, and the answer when nothing is found.</summary>
    public const int None = -1;

    private readonly int _tokensPerPage;
    private readonly int[] _tokens;
    private readonly int[] _parent;
    private readonly int[] _children;
    private readonly int[] _pins;
    private readonly ulong[] _salt;
    private readonly ulong[] _hash;
    private readonly bool[] _isCached;

    // Open addressing, at most half full; a slot holds page + 1.
    private readonly int[] _slots;

    /// <summary>Makes room for every page of the pool.</summary>
    /// <param name="options">Pages and tokens per page.</param>
    public PrefixPages(CachePolicyOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PageCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.TokensPerPage, 1);
        _tokensPerPage = options.TokensPerPage;
        _tokens = new int[(long)options.PageCount * options.TokensPerPage];
        _parent = new int[options.PageCount];
        _children = new int[options.PageCount];
        _pins = new int[options.PageCount];
        _salt = new ulong[options.PageCount];
        _hash = new ulong[options.PageCount];
        _isCached = new bool[options.PageCount];
        _slots = new int[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)options.PageCount * 2)];
    }

    /// <summary>Pages cached.</summary>
    public int Count { get; private set; }

    /// <summary>Cached pages under no lease.</summary>
    public int IdleCount { get; private set; }

    /// <summary>Whether a page is cached; false for numbers outside the pool.</summary>
    public bool IsCached(int page) => (uint)page < (uint)_isCached.Length && _isCached[page];

    /// <summary>Whether a page is under a lease.</summary>
    public bool IsPinned(int page) => _pins[page] > 0;

    /// <summary>Whether a page has no cached continuation, so that taking it leaves nothing unreachable.</summary>
    public bool IsLeaf(int page) => _children[page] == 0;

    /// <summary>The page that a page continues, or <see cref="None"/>.</summary>
    public int Parent(int page) => _parent[page];

    /// <summary>Hash of the text up to the end of a page.</summary>
    public ulong Hash(int page) => _hash[page];

    /// <summary>Hash of the text up to the end of a page.</summary>
    /// <param name="parent">The page before; <see cref="None"/> at the start.</param>
    /// <param name="salt">Salt of the text.</param>
    /// <param name="tokens">The page's tokens.</param>
    public ulong Chain(int parent, ulong salt, ReadOnlySpan<int> tokens)
    {
        // Multiply and fold as wyhash does: 128 bits of product per four tokens.
        const ulong MultiplierA = 0xA0761D6478BD642F, MultiplierB = 0xE7037ED1A0B428DB;
        ulong hash = parent == None ? salt ^ MultiplierB : _hash[parent];
        int i = 0;
        for (; i + 4 <= tokens.Length; i += 4)
        {
            ulong high = Math.BigMul(
                hash ^ Pair(tokens[i], tokens[i + 1]), MultiplierA ^ Pair(tokens[i + 2], tokens[i + 3]), out ulong low);
            hash = high ^ low;
        }

        for (; i < tokens.Length; i++)
        {
            ulong high = Math.BigMul(hash ^ (uint)tokens[i], MultiplierA, out ulong low);
            hash = high ^ low ^ MultiplierB;
        }

        return hash;
    }

    /// <summary>The cached page at a place, or <see cref="None"/>.</summary>
    public int Find(int parent, ulong salt, ReadOnlySpan<int> tokens, ulong hash)
    {
        int mask = _slots.Length - 1;
        for (int slot = (int)hash & mask; _slots[slot] != 0; slot = (slot + 1) & mask)
        {
            int page = _slots[slot] - 1;
            if (_hash[page] == hash && _parent[page] == parent && _salt[page] == salt && Tokens(page).SequenceEqual(tokens))
            {
                return page;
            }
        }

        return None;
    }

    /// <summary>Takes a page into the cache, unpinned.</summary>
    /// <exception cref="InvalidOperationException">The cache owns the page already.</exception>
    public void Add(int page, int parent, ulong salt, ReadOnlySpan<int> tokens, ulong hash)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)page, (uint)_isCached.Length, nameof(page));
        if (_isCached[page])
        {
            throw new InvalidOperationException($"Page {page} was offered at a second place while the cache owns it.");
        }

        tokens.CopyTo(Tokens(page));
        (_isCached[page], _parent[page], _salt[page], _hash[page]) = (true, parent, salt, hash);
        if (parent != None)
        {
            _children[parent]++;
        }

        int mask = _slots.Length - 1;
        int slot = (int)hash & mask;
        while (_slots[slot] != 0)
        {
            slot = (slot + 1) & mask;
        }

        _slots[slot] = page + 1;
        Count++;
        IdleCount++;
    }

    /// <summary>Forgets an idle leaf.</summary>
    /// <exception cref="InvalidOperationException">The page is pinned, has continuations, or is not cached: the policy chose wrongly.</exception>
    public void Remove(int page)
    {
        if (!IsCached(page) || IsPinned(page) || !IsLeaf(page))
        {
            throw new InvalidOperationException($"Page {page} is not an idle leaf of the cache.");
        }

        RemoveSlot(page);
        _isCached[page] = false;
        if (_parent[page] != None)
        {
            _children[_parent[page]]--;
        }

        Count--;
        IdleCount--;
    }

    /// <summary>Pins a page once more.</summary>
    /// <returns>Whether it was idle.</returns>
    public bool Pin(int page)
    {
        bool wasIdle = _pins[page]++ == 0;
        IdleCount -= wasIdle ? 1 : 0;
        return wasIdle;
    }

    /// <summary>Takes one pin back.</summary>
    /// <returns>Whether it is idle now.</returns>
    public bool Unpin(int page)
    {
        bool isIdle = --_pins[page] == 0;
        IdleCount += isIdle ? 1 : 0;
        return isIdle;
    }

    private static ulong Pair(int first, int second) => (uint)first | ((ulong)(uint)second << 32);

    private Span<int> Tokens(int page) => _tokens.AsSpan(page * _tokensPerPage, _tokensPerPage);

    // Linear probing without tombstones: entries after the hole move back to where their probe would find them.
    private void RemoveSlot(int page)
    {
        int mask = _slots.Length - 1;
        int hole = (int)_hash[page] & mask;
        while (_slots[hole] != page + 1)
        {
            hole = (hole + 1) & mask;
        }

        for (int slot = (hole + 1) & mask; _slots[slot] != 0; slot = (slot + 1) & mask)
        {
            int home = (int)_hash[_slots[slot] - 1] & mask;
            if (((slot - home) & mask) >= ((slot - hole) & mask))
            {
                _slots[hole] = _slots[slot];
                hole = slot;
            }
        }

        _slots[hole] = 0;
    }
}
