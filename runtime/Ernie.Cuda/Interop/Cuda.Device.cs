using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

internal static partial class Cuda
{
    internal const int CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16;
    internal const int CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE = 36;
    internal const int CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH = 37;
    internal const int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75;
    internal const int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76;
    internal const int CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97;

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuDeviceGetCount(out int count);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuDeviceGetName(Span<byte> name, int length, int device);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuDeviceGetPCIBusId(Span<byte> busId, int length, int device);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuDeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuDevicePrimaryCtxRetain(out SafeCudaContext context, int device);

    [LibraryImport(Libraries.Cuda, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    internal static partial CuResult cuDevicePrimaryCtxRelease(int device);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuCtxSetCurrent(SafeCudaContext context);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuCtxSynchronize();

    [LibraryImport(Libraries.Cuda)]
    private static partial CuResult cuCtxGetDevice(out int device);
}
