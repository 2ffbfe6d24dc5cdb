using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>An allocation in device memory.</summary>
internal sealed class SafeDeviceMemory : SafeHandle
{
    // LibraryImport makes the handle before the call.
    public SafeDeviceMemory()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The device address; valid while this object is alive.</summary>
    public ulong Address => (ulong)handle;

    protected override bool ReleaseHandle() => Cuda.cuMemFree(handle) == CuResult.CUDA_SUCCESS;
}
