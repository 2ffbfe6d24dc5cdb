using System.Runtime.InteropServices;

namespace Ernie.Cuda.Interop;

/// <summary>The run-time compiler's API. Source: nvrtc.h of CUDA 12 and 13.</summary>
internal static partial class NvrtcApi
{
    internal const int NVRTC_SUCCESS = 0;

    [LibraryImport(Libraries.Nvrtc)]
    internal static partial int nvrtcVersion(out int major, out int minor);

    [LibraryImport(Libraries.Nvrtc)]
    internal static partial nint nvrtcGetErrorString(int result);

    [LibraryImport(Libraries.Nvrtc, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int nvrtcCreateProgram(
        out SafeNvrtcProgram program, string source, string name, int headerCount, string[] headers, string[] includeNames);

    [LibraryImport(Libraries.Nvrtc)]
    internal static partial int nvrtcDestroyProgram(ref nint program);

    [LibraryImport(Libraries.Nvrtc, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int nvrtcCompileProgram(SafeNvrtcProgram program, int optionCount, string[] options);

    [LibraryImport(Libraries.Nvrtc)]
    internal static partial int nvrtcGetProgramLogSize(SafeNvrtcProgram program, out nuint byteCount);

    [LibraryImport(Libraries.Nvrtc)]
    internal static partial int nvrtcGetProgramLog(SafeNvrtcProgram program, Span<byte> log);

    [LibraryImport(Libraries.Nvrtc)]
    internal static partial int nvrtcGetCUBINSize(SafeNvrtcProgram program, out nuint byteCount);

    [LibraryImport(Libraries.Nvrtc)]
    internal static partial int nvrtcGetCUBIN(SafeNvrtcProgram program, Span<byte> cubin);
}
