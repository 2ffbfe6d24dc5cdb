using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>A program of the run-time compiler.</summary>
internal sealed class SafeNvrtcProgram : SafeHandle
{
    // LibraryImport makes the handle before the call.
    public SafeNvrtcProgram()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        nint program = handle;
        return NvrtcApi.nvrtcDestroyProgram(ref program) == 0;
    }
}
