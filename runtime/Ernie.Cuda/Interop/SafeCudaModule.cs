using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>A loaded cubin.</summary>
internal sealed class SafeCudaModule : SafeHandle
{
    // LibraryImport makes the handle before the call.
    public SafeCudaModule()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => Cuda.cuModuleUnload(handle) == CuResult.CUDA_SUCCESS;
}
