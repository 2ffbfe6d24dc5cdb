using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

internal static partial class Cuda
{
    internal const int CU_STREAM_CAPTURE_MODE_THREAD_LOCAL = 1;

    [LibraryImport(Libraries.Cuda, EntryPoint = "cuStreamBeginCapture_v2")]
    internal static partial CuResult cuStreamBeginCapture(nint stream, int mode);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuStreamEndCapture(nint stream, out SafeCudaGraph graph);

    [LibraryImport(Libraries.Cuda, EntryPoint = "cuGraphInstantiateWithFlags")]
    internal static partial CuResult cuGraphInstantiate(out SafeCudaGraphExec exec, SafeCudaGraph graph, ulong flags);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuGraphUpload(SafeCudaGraphExec exec, nint stream);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuGraphLaunch(nint exec, nint stream);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuGraphDestroy(nint graph);

    [LibraryImport(Libraries.Cuda)]
    internal static partial CuResult cuGraphExecDestroy(nint exec);
}
