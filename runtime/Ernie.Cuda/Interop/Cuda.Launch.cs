using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

internal static partial class Cuda
{
    internal const int CU_LAUNCH_ATTRIBUTE_COOPERATIVE = 2;
    internal const int CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION = 4;
    internal const int CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION = 6;

    internal const int CU_TENSOR_MAP_DATA_TYPE_UINT8 = 0;
    internal const int CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 = 9;
    internal const int CU_TENSOR_MAP_INTERLEAVE_NONE = 0;
    internal const int CU_TENSOR_MAP_SWIZZLE_128B = 3;
    internal const int CU_TENSOR_MAP_L2_PROMOTION_L2_256B = 3;
    internal const int CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE = 0;

    [LibraryImport(Libraries.Cuda)]
    internal static unsafe partial CuResult cuLaunchKernelEx(
        CuLaunchConfig* config, nint function, void** kernelParameters, void** extra);

    [LibraryImport(Libraries.Cuda)]
    internal static unsafe partial CuResult cuTensorMapEncodeTiled(
        void* tensorMap, int dataType, uint rank, ulong address, ulong* dimensions, ulong* strides, uint* box, uint* elementStrides,
        int interleave, int swizzle, int l2Promotion, int outOfBoundsFill);
}
