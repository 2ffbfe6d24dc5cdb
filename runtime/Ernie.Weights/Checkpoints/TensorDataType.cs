namespace Ernie.Weights;

/// <summary>Element types that a safetensors file may declare.</summary>
/// <remarks>Source: huggingface/safetensors, <c>tensor.rs</c>, enum Dtype. Weights are read from the three wide float types; the others may
/// stand in a file without being read.</remarks>
public enum TensorDataType
{
    /// <summary>8-bit truth value.</summary>
    Bool,

    /// <summary>Unsigned 8-bit integer.</summary>
    UInt8,

    /// <summary>Signed 8-bit integer.</summary>
    Int8,

    /// <summary>8-bit float, 5 exponent bits.</summary>
    Float8E5M2,

    /// <summary>8-bit float, 4 exponent bits.</summary>
    Float8E4M3,

    /// <summary>8-bit power of two.</summary>
    Float8E8M0,

    /// <summary>Signed 16-bit integer.</summary>
    Int16,

    /// <summary>Unsigned 16-bit integer.</summary>
    UInt16,

    /// <summary>IEEE half precision.</summary>
    Float16,

    /// <summary>The upper 16 bits of an IEEE single.</summary>
    BFloat16,

    /// <summary>Signed 32-bit integer.</summary>
    Int32,

    /// <summary>Unsigned 32-bit integer.</summary>
    UInt32,

    /// <summary>IEEE single precision.</summary>
    Float32,

    /// <summary>IEEE double precision.</summary>
    Float64,

    /// <summary>Signed 64-bit integer.</summary>
    Int64,

    /// <summary>Unsigned 64-bit integer.</summary>
    UInt64,
}
