namespace Ernie.Weights;

/// <summary>How the elements of a weight matrix are stored.</summary>
public enum WeightEncoding
{
    /// <summary>bfloat16, 2 bytes an element: <see cref="Bf16Matrix"/>.</summary>
    BFloat16,

    /// <summary>Symmetric int8 with a scale per output channel (wint8): <see cref="Int8Matrix"/>.</summary>
    Int8,

    /// <summary>Symmetric int4 with a scale per 128 inputs (wint4): <see cref="Int4Matrix"/>.</summary>
    Int4Group128,

    /// <summary>Symmetric int4 with a scale per 64 inputs: <see cref="Int4Matrix"/>.</summary>
    Int4Group64,

    /// <summary>Symmetric int4 with a scale per output channel: <see cref="Int4Matrix"/>.</summary>
    Int4PerChannel,

    /// <summary>FP8 e4m3 with a scale per 128 × 128 block (block_wise_fp8): <see cref="Fp8Matrix"/>.</summary>
    Fp8Block128,
}
