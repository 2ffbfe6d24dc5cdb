namespace Ernie.Cpu;

/// <summary>What activations are when they meet quantised weights.</summary>
public enum ActivationPrecision
{
    /// <summary>int8 with a scale per token and block of 32 to 128 inputs: integer dot products. Weights in bf16 and FP8 meet f32 activations all the same.</summary>
    Quantized,

    /// <summary>f32: the reference.</summary>
    Full,
}
