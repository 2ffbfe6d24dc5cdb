namespace Ernie.Kernels;

/// <summary>Sizes of the formats of keys and values.</summary>
public static class KeyValueFormatExtensions
{
    /// <summary>Bytes of an element.</summary>
    /// <param name="format">The format.</param>
    public static int ElementBytes(this KeyValueFormat format) => format == KeyValueFormat.BFloat16 ? sizeof(ushort) : 1;

    /// <summary>Bytes of the factor of a token and head; 0 where there is none.</summary>
    /// <param name="format">The format.</param>
    public static int ScaleBytes(this KeyValueFormat format) => format == KeyValueFormat.BFloat16 ? 0 : sizeof(float);

    /// <summary>Bytes of a token's key, or value, of one head.</summary>
    /// <param name="format">The format.</param>
    /// <param name="headSize">Values of a head.</param>
    public static int BytesPerHead(this KeyValueFormat format, int headSize) => (headSize * format.ElementBytes()) + format.ScaleBytes();
}
