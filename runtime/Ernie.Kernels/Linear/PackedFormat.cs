using Ernie.Graph;

namespace Ernie.Kernels;

/// <summary>What kernels know of a weight format.</summary>
internal static class PackedFormat
{
    /// <summary>Enumerator of ernie::WeightFormat.</summary>
    /// <exception cref="KernelPlanException">No kernel reads the format.</exception>
    public static string ConstantName(WeightFormat format) => format switch
    {
        WeightFormat.BFloat16 => "kBfloat16",
        WeightFormat.Int8 => "kInt8",
        WeightFormat.Int4 => "kInt4",
        WeightFormat.Float8 => "kFloat8",
        _ => throw new KernelPlanException($"There is no matrix kernel for {format} weights."),
    };

    /// <summary>Bits of an element.</summary>
    public static int BitsPerWeight(WeightFormat format) => format switch
    {
        WeightFormat.BFloat16 => 16,
        WeightFormat.Int4 => 4,
        _ => 8,
    };
}
