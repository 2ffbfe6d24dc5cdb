using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>A stream of the current context.</summary>
internal sealed class SafeCudaStream : SafeHandle
{
    // LibraryImport makes the handle before the call.
    public SafeCudaStream()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The raw handle for launches; valid while this object is alive.</summary>
    public nint Value => handle;

    protected override bool ReleaseHandle() => Cuda.cuStreamDestroy(handle) == CuResult.CUDA_SUCCESS;
}
