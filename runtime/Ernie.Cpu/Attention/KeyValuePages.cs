using Ernie.Cpu.Memory;

namespace Ernie.Cpu.Attention;

/// <summary>
/// One layer's pages. Keys lie transposed, [page, head, headDim, 64], so that scores of consecutive tokens fill a vector; values lie as [page, head, 64, headDim];
/// the factors of either, where the format has them, as [page, head, 64].
/// </summary>
/// <typeparam name="TElement">Storage of one number.</typeparam>
internal sealed unsafe class KeyValuePages<TElement> : IPageStore, IDisposable where TElement : unmanaged
{
    /// <summary>Tokens of a page.</summary>
    internal const int TokensPerPage = 64;

    private readonly NativeBuffer<TElement> _keys;
    private readonly NativeBuffer<TElement> _values;
    private readonly NativeBuffer<float>? _keyFactors;
    private readonly NativeBuffer<float>? _valueFactors;
    private readonly int _heads;

    /// <param name="pages">Pages.</param>
    /// <param name="heads">Key/value heads.</param>
    /// <param name="headDim">Width of a head.</param>
    /// <param name="hasFactors">Whether every token and head has a factor.</param>
    internal KeyValuePages(int pages, int heads, int headDim, bool hasFactors)
    {
        _heads = heads;
        HeadDim = headDim;
        _keys = new NativeBuffer<TElement>((long)pages * heads * headDim * TokensPerPage);
        _values = new NativeBuffer<TElement>((long)pages * heads * headDim * TokensPerPage);
        if (hasFactors)
        {
            _keyFactors = new NativeBuffer<float>((long)pages * heads * TokensPerPage);
            _valueFactors = new NativeBuffer<float>((long)pages * heads * TokensPerPage);
        }
    }

    /// <summary>Width of a head.</summary>
    internal int HeadDim { get; }

    /// <summary>[headDim, 64] of a page and head.</summary>
    internal TElement* Keys(int page, int head) => _keys.Pointer + (Vector(page, head) * HeadDim);

    /// <summary>[64, headDim] of a page and head.</summary>
    internal TElement* Values(int page, int head) => _values.Pointer + (Vector(page, head) * HeadDim);

    /// <summary>[64] of a page and head; null where the format has none.</summary>
    internal float* KeyFactors(int page, int head) => _keyFactors is null ? null : _keyFactors.Pointer + Vector(page, head);

    /// <summary>[64] of a page and head; null where the format has none.</summary>
    internal float* ValueFactors(int page, int head) => _valueFactors is null ? null : _valueFactors.Pointer + Vector(page, head);

    /// <inheritdoc/>
    public void Copy(int from, int to)
    {
        int vectors = _heads * TokensPerPage;
        Copy(_keys, from, to, vectors * HeadDim);
        Copy(_values, from, to, vectors * HeadDim);
        if (_keyFactors is not null)
            Copy(_keyFactors, from, to, vectors);
        if (_valueFactors is not null)
            Copy(_valueFactors, from, to, vectors);
    }

    public void Dispose()
    {
        _keys.Dispose();
        _values.Dispose();
        _keyFactors?.Dispose();
        _valueFactors?.Dispose();
    }

    private static void Copy<T>(NativeBuffer<T> buffer, int from, int to, int perPage) where T : unmanaged =>
        buffer.Span((long)from * perPage, perPage).CopyTo(buffer.Span((long)to * perPage, perPage));

    private long Vector(int page, int head) => (((long)page * _heads) + head) * TokensPerPage;
}
