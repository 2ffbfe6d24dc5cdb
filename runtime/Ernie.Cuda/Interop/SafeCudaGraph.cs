using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>A captured graph, not executable.</summary>
internal sealed class SafeCudaGraph : SafeHandle
{
    // LibraryImport makes the handle before the call.
    public SafeCudaGraph()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => Cuda.cuGraphDestroy(handle) == CuResult.CUDA_SUCCESS;
}
