using Ernie.Caching;

namespace Ernie.Template;

/// <summary>
/// An example to replace: pages leave in the order in which they came, continuations before what they continue. A tree of
/// dictionaries, to be read; see the runtime's own policies for forms that allocate nothing.
/// </summary>
/// <remarks>All calls come from the engine's thread. A lease pins every page up to its last one.</remarks>
public sealed class CustomPolicy(CachePolicyOptions options) : ICachePolicy
{
    /// <summary>Name by which a server chooses it.</summary>
    public const string PolicyName = "fifo-policy-name";

    private readonly Dictionary<ulong, Node> _roots = [];
    private readonly Dictionary<int, Node> _nodeOfPage = [];
    private readonly LinkedList<Node> _oldestFirst = [];

    /// <inheritdoc/>
    public string Name => PolicyName;

    /// <inheritdoc/>
    public int CachedPages => _nodeOfPage.Count;

    /// <inheritdoc/>
    public int EvictablePages { get; private set; }

    /// <inheritdoc/>
    public PrefixLease Acquire(in PrefixKey key, Span<PageId> pages)
    {
        Node node = Root(key.Salt);
        int count = 0;
        int bound = Math.Min(pages.Length, key.Tokens.Length / options.TokensPerPage);
        while (count < bound && node.Children.TryGetValue(PageText(key, count), out Node? next))
        {
            node = next;
            pages[count++] = new PageId(node.Page);
            EvictablePages -= node.Pins++ == 0 ? 1 : 0;
        }

        return count == 0 ? default : new PrefixLease(node.Page + 1, count);
    }

    /// <inheritdoc/>
    public InsertResult Insert(in PrefixKey key, ReadOnlySpan<PageId> pages)
    {
        Node node = Root(key.Salt);
        int known = 0;
        while (known < pages.Length && node.Children.TryGetValue(PageText(key, known), out Node? next))
        {
            node = next;
            known++;
        }

        for (int i = known; i < pages.Length; i++)
        {
            var child = new Node(pages[i].Index, PageText(key, i), node);
            if (!_nodeOfPage.TryAdd(child.Page, child))
            {
                // The cache owns this page at another place: it stays as it is, and the caller keeps the rest.
                return new InsertResult(known, i - known);
            }

            node.Children.Add(child.Text, child);
            _oldestFirst.AddLast(child);
            EvictablePages++;
            node = child;
        }

        return new InsertResult(known, pages.Length - known);
    }

    /// <inheritdoc/>
    public void Release(PrefixLease lease)
    {
        if (lease.Handle == 0)
        {
            return;
        }

        for (Node? node = _nodeOfPage[(int)lease.Handle - 1]; node is { Parent: not null }; node = node.Parent)
        {
            EvictablePages += --node.Pins == 0 ? 1 : 0;
        }
    }

    /// <inheritdoc/>
    public int Evict(Span<PageId> freed)
    {
        int count = Math.Min(freed.Length, EvictablePages);
        for (int i = 0; i < count; i++)
        {
            Node victim = _oldestFirst.First(node => node.Pins == 0 && node.Children.Count == 0);
            _oldestFirst.Remove(victim);
            _nodeOfPage.Remove(victim.Page);
            victim.Parent!.Children.Remove(victim.Text);    // only roots have no parent, and roots hold no page
            EvictablePages--;
            freed[i] = new PageId(victim.Page);
        }

        return count;
    }

    private Node Root(ulong salt)
    {
        if (!_roots.TryGetValue(salt, out Node? root))
        {
            root = _roots[salt] = new Node(page: -1, text: "", parent: null);
        }

        return root;
    }

    private string PageText(in PrefixKey key, int page) =>
        string.Join(',', key.Tokens.Slice(page * options.TokensPerPage, options.TokensPerPage).ToArray());

    private sealed class Node(int page, string text, Node? parent)
    {
        public int Page { get; } = page;

        public string Text { get; } = text;

        public Node? Parent { get; } = parent;

        public Dictionary<string, Node> Children { get; } = [];

        public int Pins { get; set; }
    }
}
