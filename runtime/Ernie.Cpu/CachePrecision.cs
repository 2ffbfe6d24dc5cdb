namespace Ernie.Cpu;

/// <summary>Storage of keys and values.</summary>
public enum CachePrecision
{
    /// <summary>bfloat16.</summary>
    BFloat16,

    /// <summary>f32: twice the memory and traffic; the reference.</summary>
    Full,

    /// <summary>e4m3 with an f32 factor per token and head: largest magnitude / 448. Values are rounded to bfloat16 first, as on GPUs.</summary>
    Float8,

    /// <summary>int8 with an f32 factor per token and head: largest magnitude / 127. Values are rounded to bfloat16 first, as on GPUs.</summary>
    Integer8,
}
