namespace Ernie.Kernels;

/// <summary>Storage of keys and values on the GPU; ernie::CacheFormat.</summary>
public enum KeyValueFormat
{
    /// <summary>bfloat16.</summary>
    BFloat16,

    /// <summary>e4m3 with an f32 factor per token and head: largest magnitude / 448.</summary>
    Float8,

    /// <summary>int8 with an f32 factor per token and head: largest magnitude / 127.</summary>
    Integer8,
}
