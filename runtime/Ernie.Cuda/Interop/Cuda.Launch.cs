using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

internal static partial class Cuda
{
    internal const int CU_LAUNCH_ATTRIBUTE_COOPERATIVE = 2;
    internal const int CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION = 4;
    internal const int CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION = 6;

    [LibraryImport(Libraries.Cuda)]
    internal static unsafe partial CuResult cuLaunchKernelEx(
        CuLaunchConfig* config, nint function, void** kernelParameters, void** extra);
}
