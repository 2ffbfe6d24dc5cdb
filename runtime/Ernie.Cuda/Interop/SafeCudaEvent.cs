using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>An event of the current context.</summary>
internal sealed class SafeCudaEvent : SafeHandle
{
    // LibraryImport makes the handle before the call.
    public SafeCudaEvent()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The raw handle; valid while this object is alive.</summary>
    public nint Value => handle;

    protected override bool ReleaseHandle() => Cuda.cuEventDestroy(handle) == CuResult.CUDA_SUCCESS;
}
