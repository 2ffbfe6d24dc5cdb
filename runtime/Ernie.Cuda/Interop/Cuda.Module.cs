using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

internal static partial class Cuda
{
    internal const int CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES = 3;
    internal const int CU_FUNC_ATTRIBUTE_NUM_REGS = 4;
    internal const int CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8;

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuModuleLoadData(out SafeCudaModule module, ReadOnlySpan<byte> image);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuModuleUnload(nint module);

    [LibraryImport(Libraries.Cuda, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial CuResult cuModuleGetFunction(out nint function, SafeCudaModule module, string name);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuFuncGetAttribute(out int value, int attribute, nint function);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuFuncSetAttribute(nint function, int attribute, int value);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuOccupancyMaxActiveBlocksPerMultiprocessor(
        out int blocks, nint function, int blockSize, nuint dynamicSharedMemoryBytes);

    [LibraryImport(Libraries.Cuda)]
    internal static unsafe partial CuResult cuOccupancyMaxActiveClusters(out int clusters, nint function, CuLaunchConfig* config);
}
