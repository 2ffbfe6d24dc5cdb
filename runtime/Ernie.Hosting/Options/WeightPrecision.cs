namespace Ernie.Hosting.Options;

/// <summary>How weights of linear layers are kept.</summary>
public enum WeightPrecision
{
    /// <summary>As the checkpoint has them, in 16 bits.</summary>
    None,

    /// <summary>8-bit integers, one scale per output channel.</summary>
    WInt8,

    /// <summary>4-bit integers, one scale per group of input weights.</summary>
    WInt4,

    /// <summary>8-bit floats (e4m3), one scale per 128 × 128 block.</summary>
    BlockWiseFp8,
}
