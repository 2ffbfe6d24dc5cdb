using Ernie.Kernels;

namespace Ernie.Cuda.Execution;

/// <summary>A linear weight on the device.</summary>
/// <param name="Kernels">What multiplies by it.</param>
/// <param name="Weight">Address of the packed elements.</param>
/// <param name="Scales">Address of the scales, f32 [groups, outputs]; 0 for bf16.</param>
internal sealed record DeviceLinear(LinearKernels Kernels, ulong Weight, ulong Scales)
{
    /// <summary>The plain bf16 rows, in boxes of 64; meaningless where no kernel uses tensor maps.</summary>
    public TensorMap PlainWeight { get; init; }

    /// <summary>The packed rows as bytes, in the boxes of linear_float8; meaningless where that is not used.</summary>
    public TensorMap PackedWeight { get; init; }
}
