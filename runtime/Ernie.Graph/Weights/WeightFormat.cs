namespace Ernie.Graph;

/// <summary>How the elements of a linear weight are stored.</summary>
public enum WeightFormat
{
    /// <summary>bfloat16.</summary>
    BFloat16,

    /// <summary>float32, for the router.</summary>
    Float32,

    /// <summary>Symmetric int8 with a scale per output.</summary>
    Int8,

    /// <summary>Symmetric int4, two in a byte, with a scale per group of inputs of an output.</summary>
    Int4,

    /// <summary>float8 e4m3 with a scale per block of outputs × inputs.</summary>
    Float8,
}
