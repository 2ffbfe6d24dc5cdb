using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>A hold on a device's primary context.</summary>
internal sealed class SafeCudaContext : SafeHandle
{
    // LibraryImport makes the handle before the call.
    public SafeCudaContext()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The device whose context this is; set by whoever retained it.</summary>
    public int Device { get; set; }

    protected override bool ReleaseHandle() => Cuda.cuDevicePrimaryCtxRelease(Device) == CuResult.CUDA_SUCCESS;
}
