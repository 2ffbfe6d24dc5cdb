using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

internal static partial class Cuda
{
    internal const uint CU_STREAM_NON_BLOCKING = 1;
    internal const uint CU_EVENT_DEFAULT = 0;
    internal const uint CU_EVENT_DISABLE_TIMING = 2;

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuStreamCreate(out SafeCudaStream stream, uint flags);

    [LibraryImport(Libraries.Cuda, EntryPoint = "cuStreamDestroy_v2")]
    internal static partial CuResult cuStreamDestroy(nint stream);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuStreamSynchronize(nint stream);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuStreamQuery(nint stream);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuEventCreate(out SafeCudaEvent cudaEvent, uint flags);

    [LibraryImport(Libraries.Cuda, EntryPoint = "cuEventDestroy_v2")]
    internal static partial CuResult cuEventDestroy(nint cudaEvent);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuEventRecord(nint cudaEvent, nint stream);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuEventQuery(nint cudaEvent);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuEventElapsedTime(out float milliseconds, nint start, nint end);
}
