using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>An executable graph.</summary>
internal sealed class SafeCudaGraphExec : SafeHandle
{
    // LibraryImport makes the handle before the call.
    public SafeCudaGraphExec()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The raw handle for launches; valid while this object is alive.</summary>
    public nint Value => handle;

    protected override bool ReleaseHandle() => Cuda.cuGraphExecDestroy(handle) == CuResult.CUDA_SUCCESS;
}
