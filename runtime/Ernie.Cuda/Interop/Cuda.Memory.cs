using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

internal static partial class Cuda
{
    internal const uint CU_MEMHOSTALLOC_PORTABLE = 1;
    internal const uint CU_MEMHOSTALLOC_DEVICEMAP = 2;

    [LibraryImport(Libraries.Cuda, EntryPoint = "cuMemGetInfo_v2")]
    internal static partial CuResult cuMemGetInfo(out nuint free, out nuint total);

    [LibraryImport(Libraries.Cuda, EntryPoint = "cuMemAlloc_v2")]
    internal static partial CuResult cuMemAlloc(out SafeDeviceMemory memory, nuint byteCount);

    [LibraryImport(Libraries.Cuda, EntryPoint = "cuMemFree_v2")]
    internal static partial CuResult cuMemFree(nint memory);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuMemHostAlloc(out SafePinnedMemory memory, nuint byteCount, uint flags);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuMemFreeHost(nint memory);

    [LibraryImport(Libraries.Cuda, EntryPoint = "cuMemHostGetDevicePointer_v2")]
    internal static partial CuResult cuMemHostGetDevicePointer(out ulong device, nint host, uint flags);

    [LibraryImport(Libraries.Cuda, EntryPoint = "cuMemHostRegister_v2")]
    internal static partial CuResult cuMemHostRegister(nint memory, nuint byteCount, uint flags);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuMemHostUnregister(nint memory);

    [LibraryImport(Libraries.Cuda, EntryPoint = "cuMemcpyHtoDAsync_v2")]
    internal static partial CuResult cuMemcpyHtoDAsync(ulong destination, nint source, nuint byteCount, nint stream);

    [LibraryImport(Libraries.Cuda, EntryPoint = "cuMemcpyDtoHAsync_v2")]
    internal static partial CuResult cuMemcpyDtoHAsync(nint destination, ulong source, nuint byteCount, nint stream);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuMemsetD8Async(ulong destination, byte value, nuint byteCount, nint stream);
}
