namespace Ernie.Graph;

/// <summary>What an element of a value is.</summary>
public enum ElementType
{
    /// <summary>An activation: f32 or bf16, as the executor computes.</summary>
    Activation,

    /// <summary>f32 in every executor: logits, routing weights, rotary tables.</summary>
    Float32,

    /// <summary>A 32-bit integer: indices of chosen experts.</summary>
    Int32,
}
