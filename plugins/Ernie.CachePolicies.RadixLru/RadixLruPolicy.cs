using Ernie.Caching;

namespace Ernie.CachePolicies.RadixLru;

/// <summary>
/// A radix tree of pages: a node is a page of tokens below its parent page, found by a hash chained over
/// (salt, parent, tokens) and compared in full. The least recently used leaf goes first.
/// </summary>
/// <remarks>
/// A page's index is its node's index, so that nodes need no allocation. Unpinned nodes are in one list, oldest first. A path
/// is always touched from its end to its root, so a child is older than its parent and the oldest node is always a leaf:
/// eviction is exact and takes constant time.
/// </remarks>
public sealed class RadixLruPolicy : ICachePolicy
{
    /// <summary>Name by which a server chooses it.</summary>
    public const string PolicyName = "radix-lru";

    private const int None = -1;

    private readonly int _tokensPerPage;
    private readonly Node[] _nodes;
    private readonly int[] _tokens;
    private readonly int[] _buckets;
    private readonly int _bucketMask;
    private int _oldest = None, _newest = None;

    /// <summary>Makes an empty cache.</summary>
    /// <param name="options">Pages and tokens per page.</param>
    public RadixLruPolicy(CachePolicyOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PageCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.TokensPerPage, 1);
        _tokensPerPage = options.TokensPerPage;
        _nodes = new Node[options.PageCount];
        _tokens = new int[checked(options.PageCount * options.TokensPerPage)];
        _buckets = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)options.PageCount * 2)];
        _bucketMask = _buckets.Length - 1;
        Array.Fill(_buckets, None);
    }

    /// <inheritdoc/>
    public string Name => PolicyName;

    /// <inheritdoc/>
    public int CachedPages { get; private set; }

    /// <inheritdoc/>
    public int EvictablePages { get; private set; }

    /// <inheritdoc/>
    public PrefixLease Acquire(in PrefixKey key, Span<PageId> pages)
    {
        int limit = Math.Min(pages.Length, key.Tokens.Length / _tokensPerPage);
        int parent = None;
        ulong hash = PageHash.Root(key.Salt);
        int matched = 0;
        for (; matched < limit; matched++)
        {
            ReadOnlySpan<int> tokens = key.Tokens.Slice(matched * _tokensPerPage, _tokensPerPage);
            hash = PageHash.Append(hash, tokens);
            int node = Find(hash, parent, key.Salt, tokens);
            if (node == None)
            {
                break;
            }

            if (_nodes[node].Pins++ == 0)
            {
                Unlink(node);
            }

            pages[matched] = new PageId(node);
            parent = node;
        }

        return matched == 0 ? default : new PrefixLease(parent + 1L, matched);
    }

    /// <inheritdoc/>
    public InsertResult Insert(in PrefixKey key, ReadOnlySpan<PageId> pages)
    {
        int limit = Math.Min(pages.Length, key.Tokens.Length / _tokensPerPage);
        int parent = None;
        ulong hash = PageHash.Root(key.Salt);
        int index = 0, already = 0;
        for (; index < limit; index++)
        {
            ReadOnlySpan<int> tokens = key.Tokens.Slice(index * _tokensPerPage, _tokensPerPage);
            hash = PageHash.Append(hash, tokens);
            int node = already == index ? Find(hash, parent, key.Salt, tokens) : None;
            if (node != None)
            {
                already++;
            }
            else
            {
                node = pages[index].Index;
                if (_nodes[node].IsCached)
                {
                    // The page holds another prefix: it is not the caller's to give.
                    break;
                }

                Add(node, hash, parent, key.Salt, tokens);
            }

            parent = node;
        }

        Touch(parent);
        return new InsertResult(already, index - already);
    }

    /// <inheritdoc/>
    public void Release(PrefixLease lease)
    {
        int node = (int)(lease.Handle - 1);
        for (int i = 0; i < lease.PageCount; i++)
        {
            if (--_nodes[node].Pins == 0)
            {
                LinkNewest(node);
            }

            node = _nodes[node].Parent;
        }
    }

    /// <inheritdoc/>
    public int Evict(Span<PageId> freed)
    {
        int count = 0;
        while (count < freed.Length && _oldest != None)
        {
            int node = _oldest;
            Unlink(node);
            Forget(node);
            freed[count++] = new PageId(node);
        }

        return count;
    }

    private int Find(ulong hash, int parent, ulong salt, ReadOnlySpan<int> tokens)
    {
        for (int index = _buckets[(int)hash & _bucketMask]; index != None; index = _nodes[index].NextInBucket)
        {
            ref readonly Node node = ref _nodes[index];
            if (node.Hash == hash && node.Parent == parent && node.Salt == salt
                && tokens.SequenceEqual(_tokens.AsSpan(index * _tokensPerPage, _tokensPerPage)))
            {
                return index;
            }
        }

        return None;
    }

    private void Add(int index, ulong hash, int parent, ulong salt, ReadOnlySpan<int> tokens)
    {
        ref int bucket = ref _buckets[(int)hash & _bucketMask];
        _nodes[index] = new Node { Hash = hash, Parent = parent, Salt = salt, NextInBucket = bucket, IsCached = true };
        bucket = index;
        tokens.CopyTo(_tokens.AsSpan(index * _tokensPerPage, _tokensPerPage));
        CachedPages++;
        LinkNewest(index);
    }

    private void Forget(int index)
    {
        ref int link = ref _buckets[(int)_nodes[index].Hash & _bucketMask];
        while (link != index)
        {
            link = ref _nodes[link].NextInBucket;
        }

        link = _nodes[index].NextInBucket;
        _nodes[index].IsCached = false;
        CachedPages--;
    }

    // From the end of a path to its root, so that parents are newer than their children.
    private void Touch(int node)
    {
        for (; node != None; node = _nodes[node].Parent)
        {
            if (_nodes[node].Pins == 0)
            {
                Unlink(node);
                LinkNewest(node);
            }
        }
    }

    private void LinkNewest(int index)
    {
        _nodes[index].Older = _newest;
        _nodes[index].Newer = None;
        if (_newest == None)
        {
            _oldest = index;
        }
        else
        {
            _nodes[_newest].Newer = index;
        }

        _newest = index;
        EvictablePages++;
    }

    private void Unlink(int index)
    {
        (int older, int newer) = (_nodes[index].Older, _nodes[index].Newer);
        if (older == None)
        {
            _oldest = newer;
        }
        else
        {
            _nodes[older].Newer = newer;
        }

        if (newer == None)
        {
            _newest = older;
        }
        else
        {
            _nodes[newer].Older = older;
        }

        EvictablePages--;
    }

    private struct Node
    {
        public ulong Hash, Salt;
        public int Parent, NextInBucket, Older, Newer, Pins;
        public bool IsCached;
    }
}
