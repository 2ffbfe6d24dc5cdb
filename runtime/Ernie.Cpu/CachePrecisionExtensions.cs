using Ernie.Graph;

namespace Ernie.Cpu;

/// <summary>Sizes of the storages of keys and values.</summary>
public static class CachePrecisionExtensions
{
    private const int TokensPerPage = 64;

    /// <summary>Bytes of a page of keys and values over all layers, factors included.</summary>
    /// <param name="precision">The storage.</param>
    /// <param name="shape">The model.</param>
    public static long PageBytes(this CachePrecision precision, ModelShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        int bytesPerHead = precision switch
        {
            CachePrecision.BFloat16 => shape.HeadDim * sizeof(ushort),
            CachePrecision.Full => shape.HeadDim * sizeof(float),
            _ => shape.HeadDim + sizeof(float),
        };
        return 2L * shape.LayerCount * shape.KeyValueHeads * TokensPerPage * bytesPerHead;
    }
}
