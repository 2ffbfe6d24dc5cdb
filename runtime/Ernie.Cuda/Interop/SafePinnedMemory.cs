using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>Page-locked host memory that the device can reach.</summary>
internal sealed class SafePinnedMemory : SafeHandle
{
    // LibraryImport makes the handle before the call.
    public SafePinnedMemory()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The host address; valid while this object is alive.</summary>
    public nint Address => handle;

    protected override bool ReleaseHandle() => Cuda.cuMemFreeHost(handle) == CuResult.CUDA_SUCCESS;
}
