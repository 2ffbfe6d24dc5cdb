using Ernie.Cpu.Memory;

namespace Ernie.Cpu.Attention;

/// <summary>
/// One layer's pages. Keys lie transposed, [page, head, headDim, 64], so that scores of consecutive tokens fill a vector; values lie as [page, head, 64, headDim].
/// </summary>
/// <typeparam name="TElement">Storage of one number.</typeparam>
internal sealed unsafe class KeyValuePages<TElement> : IPageStore, IDisposable where TElement : unmanaged
{
    /// <summary>Tokens of a page.</summary>
    internal const int TokensPerPage = 64;

    private readonly NativeBuffer<TElement> _keys;
    private readonly NativeBuffer<TElement> _values;
    private readonly int _heads;

    internal KeyValuePages(int pages, int heads, int headDim)
    {
        _heads = heads;
        HeadDim = headDim;
        _keys = new NativeBuffer<TElement>((long)pages * heads * headDim * TokensPerPage);
        _values = new NativeBuffer<TElement>((long)pages * heads * headDim * TokensPerPage);
    }

    /// <summary>Width of a head.</summary>
    internal int HeadDim { get; }

    /// <summary>[headDim, 64] of a page and head.</summary>
    internal TElement* Keys(int page, int head) => _keys.Pointer + ((((long)page * _heads) + head) * HeadDim * TokensPerPage);

    /// <summary>[64, headDim] of a page and head.</summary>
    internal TElement* Values(int page, int head) => _values.Pointer + ((((long)page * _heads) + head) * HeadDim * TokensPerPage);

    /// <inheritdoc/>
    public void Copy(int from, int to)
    {
        int elements = _heads * HeadDim * TokensPerPage;
        _keys.Span((long)from * elements, elements).CopyTo(_keys.Span((long)to * elements, elements));
        _values.Span((long)from * elements, elements).CopyTo(_values.Span((long)to * elements, elements));
    }

    public void Dispose()
    {
        _keys.Dispose();
        _values.Dispose();
    }
}
