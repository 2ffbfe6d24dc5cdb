namespace Ernie.Cpu;

/// <summary>Storage of keys and values.</summary>
public enum CachePrecision
{
    /// <summary>bfloat16.</summary>
    BFloat16,

    /// <summary>f32: twice the memory and traffic; the reference.</summary>
    Full,
}
