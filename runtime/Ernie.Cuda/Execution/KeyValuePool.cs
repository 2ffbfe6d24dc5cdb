using Ernie.Cuda.Memory;
using Ernie.Graph;
using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>
/// The pages of keys and values: per layer, keys then values, each [pages, kv heads, tokens per page, head size]; with 8-bit elements, behind
/// all layers' pages and in the same order, f32 factors [pages, kv heads, tokens per page].
/// </summary>
internal sealed class KeyValuePool
{
    private readonly ulong _address;
    private readonly ulong _scales;
    private readonly long _halfLayerBytes;
    private readonly long _halfLayerScaleBytes;
    private readonly int _keyValueHeads;
    private readonly int _headSize;

    private KeyValuePool(DeviceArena arena, ModelShape shape, KeyValueFormat format, int pageCount)
    {
        PageCount = pageCount;
        _keyValueHeads = shape.KeyValueHeads;
        _headSize = shape.HeadDim;
        long tokenHeads = (long)pageCount * KernelPlan.TokensPerPage * shape.KeyValueHeads;
        _halfLayerBytes = tokenHeads * shape.HeadDim * format.ElementBytes();
        _halfLayerScaleBytes = tokenHeads * format.ScaleBytes();
        _address = arena.Take(2 * shape.LayerCount * _halfLayerBytes);
        _scales = _halfLayerScaleBytes == 0 ? 0 : arena.Take(2 * shape.LayerCount * _halfLayerScaleBytes);
    }

    public int PageCount { get; }

    /// <summary>Copies of elements, and of factors where there are any, that <c>copy_page</c> makes; a block for each layer's keys and values.</summary>
    /// <param name="from">A page.</param>
    /// <param name="to">Another.</param>
    public (CopyPageArguments Elements, CopyPageArguments? Factors) Copy(int from, int to) => (
        Part(_address, _halfLayerBytes, from, to),
        _scales == 0 ? null : Part(_scales, _halfLayerScaleBytes, from, to));

    public ulong Keys(int layer) => _address + (ulong)(2 * layer * _halfLayerBytes);

    public ulong Values(int layer) => Keys(layer) + (ulong)_halfLayerBytes;

    /// <summary>Factors of a layer's keys; 0 where there are none.</summary>
    public ulong KeyScales(int layer) => _scales + (ulong)(2 * layer * _halfLayerScaleBytes);

    /// <summary>Factors of a layer's values; 0 where there are none.</summary>
    public ulong ValueScales(int layer) => KeyScales(layer) + (ulong)_halfLayerScaleBytes;

    /// <summary>Describes bf16 pages for tensor copies: rows of a head's values, a page at a time.</summary>
    /// <param name="address">Of a layer's keys or values.</param>
    public TensorMap Map(ulong address) =>
        TensorMap.Of(address, (long)PageCount * _keyValueHeads * KernelPlan.TokensPerPage, _headSize, KernelPlan.TokensPerPage);

    private CopyPageArguments Part(ulong address, long partBytes, int from, int to) => new()
    {
        // Parts are whole pages of 64 tokens, so all of this is in units of 16 bytes.
        Pages = address,
        PartStride = partBytes / 16,
        PageSize = (int)(partBytes / PageCount / 16),
        From = from,
        To = to,
    };

    /// <summary>Takes the pool once everything else is in place.</summary>
    /// <exception cref="CudaUnavailableException">The pages do not fit, or do not hold one sequence.</exception>
    public static KeyValuePool Create(DeviceMemory memory, ModelShape shape, CudaExecutorOptions options, int pagesPerSequence, DeviceArena arena)
    {
        long bytesPerPage = 2L * shape.LayerCount * KernelPlan.TokensPerPage * shape.KeyValueHeads * options.KeyValueFormat.BytesPerHead(shape.HeadDim);
        long pages = CacheBudget.Pages(memory, options.GpuMemoryUtilization, options.PageCount, bytesPerPage, pagesPerSequence);

        // Pages are numbered by int, and kernels number the tokens of all heads by int.
        int pageCount = (int)Math.Min(pages, int.MaxValue / (KernelPlan.TokensPerPage * shape.KeyValueHeads));
        return new KeyValuePool(arena, shape, options.KeyValueFormat, pageCount);
    }
}
